#if MuJoCo
  import Core

  /// `hopper` of the suite: one leg in the plane.
  protocol HopperTask: SuiteTask {}

  extension HopperTask {
    static var substeps: Int { 4 }
    public static var wrappingAngles: Set<String> { ["rooty"] }
    public static var observationNames: [String] {
      let joints = ["rootx", "rootz", "rooty", "waist", "hip", "knee", "ankle"]
      return Array(joints.dropFirst()) + joints.map { "\($0)-velocity" } + ["touch-toe", "touch-heel"]
    }

    static func load() throws -> SuiteModel { try SuiteModel("hopper.xml") }

    static func start(_ simulation: Simulation, using random: inout Random) { simulation.drawJoints(using: &random) }

    /// 1 while the torso is 0.6 m above the foot.
    static func standing(_ simulation: Simulation) -> Double {
      let height = simulation.centerOfMass(ofBody: "torso").z - simulation.centerOfMass(ofBody: "foot").z
      return tolerance(height, 0.6...2)
    }

    /// All positions except the distance travelled, all velocities, and the touch sensors.
    static func observe(_ simulation: Simulation) -> [Double] {
      simulation.positions.dropFirst() + simulation.velocities
        + (simulation.sensor("touch_toe") + simulation.sensor("touch_heel")).logarithmic
    }
  }

  /// `hopper stand` of the DeepMind Control suite.
  public struct HopperStand: HopperTask {
    public static var id: String { "hopper-stand" }
    public static var note: String { "rise and stand still on one leg in the plane" }
    static let compiled = Result { try load() }

    var physics = model.start
    public init() {}

    static func reward(_ simulation: Simulation) -> Double {
      standing(simulation) * (smallControl(simulation.control) + 4) / 5
    }
  }

  /// `hopper hop` of the DeepMind Control suite.
  public struct HopperHop: HopperTask {
    public static var id: String { "hopper-hop" }
    public static var note: String { "rise and hop on one leg in the plane, at 2 m/s for the full reward" }
    static let compiled = Result { try load() }

    var physics = model.start
    public init() {}

    static func reward(_ simulation: Simulation) -> Double {
      let speed = simulation.sensor("torso_subtreelinvel")[0]
      return standing(simulation) * tolerance(speed, 2...(.infinity), margin: 1, sigmoid: .linear, valueAtMargin: 0.5)
    }
  }
#endif
