#if MuJoCo
  import Core

  /// `point_mass easy` of the DeepMind Control suite.
  public struct PointMassEasy: SuiteTask {
    public static var id: String { "point-mass-easy" }
    public static var note: String { "move a slow point mass to the middle of the plane and keep it there" }
    public static var observationNames: [String] { ["x", "y", "x-velocity", "y-velocity"] }
    static let compiled = Result { try SuiteModel("point_mass.xml") }

    var physics = model.start
    public init() {}

    static func start(_ simulation: Simulation, using random: inout Random) { simulation.drawJoints(using: &random) }

    /// The product of soft rewards for being near the target and for a small control.
    static func reward(_ simulation: Simulation) -> Double {
      let radius = simulation.size(of: .geom("target")).x
      let distance = length(simulation.position(of: .geom("target")) - simulation.position(of: .geom("pointmass")))
      return tolerance(distance, 0...radius, margin: radius) * (smallControl(simulation.control) + 4) / 5
    }

    static func observe(_ simulation: Simulation) -> [Double] { simulation.positions + simulation.velocities }
  }
#endif
