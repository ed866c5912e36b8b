#if MuJoCo
  import Core

  /// `humanoid` of the suite: a body with 21 joints in three dimensions.
  protocol HumanoidTask: SuiteTask {
    /// The speed with the full reward, in m/s in any horizontal direction. 0 means to stand still.
    static var targetSpeed: Double { get }
  }

  private let limbs = ["left_hand", "left_foot", "right_hand", "right_foot"]

  extension HumanoidTask {
    static var substeps: Int { 5 }
    public static var observationNames: [String] {
      let (positions, velocities) = (model.layout.positions, model.layout.velocities)
      let ends = limbs.flatMap { limb in ["x", "y", "z"].map { "\(limb)-\($0)" } }
      return concatenated(
        Array(stateNames[positions].dropFirst(7)), ["head-height"], ends,
        ["torso-vertical-x", "torso-vertical-y", "torso-vertical-z", "speed-x", "speed-y", "speed-z"],
        Array(stateNames[velocities]))
    }

    static func load() throws -> SuiteModel { try SuiteModel("humanoid.xml") }

    static func start(_ simulation: Simulation, using random: inout Random) {
      simulation.drawUntilFree { simulation.drawJoints(using: &random) }
    }

    /// The product of soft rewards for standing, a small control and the target speed.
    static func reward(_ simulation: Simulation) -> Double {
      let standing = tolerance(simulation.position(of: .body("head")).z, 1.4...(.infinity), margin: 0.35)
      let upright = tolerance(
        simulation.frame(of: .body("torso")).z.z, 0.9...(.infinity), margin: 1.9, sigmoid: .linear, valueAtMargin: 0)
      let control = (4 + smallControl(simulation.control)) / 5
      let velocity = simulation.sensor("torso_subtreelinvel")
      if targetSpeed == 0 {
        let still = (tolerance(velocity[0], margin: 2) + tolerance(velocity[1], margin: 2)) / 2
        return control * standing * upright * still
      }
      let speed = length(SIMD3(velocity[0], velocity[1], 0))
      let move = tolerance(speed, targetSpeed...(.infinity), margin: targetSpeed, sigmoid: .linear, valueAtMargin: 0)
      return control * standing * upright * (5 * move + 1) / 6
    }

    /// Joints, head height, positions of hands and feet relative to the torso, the vertical direction, and velocities.
    static func observe(_ simulation: Simulation) -> [Double] {
      let torso = simulation.frame(of: .body("torso"))
      let origin = simulation.position(of: .body("torso"))
      let ends = limbs.flatMap { torso.local(simulation.position(of: .body($0)) - origin).numbers }
      return concatenated(
        Array(simulation.positions.dropFirst(7)), [simulation.position(of: .body("head")).z], ends,
        [torso.x.z, torso.y.z, torso.z.z], simulation.sensor("torso_subtreelinvel"), simulation.velocities)
    }
  }

  /// `humanoid stand` of the DeepMind Control suite.
  public struct HumanoidStand: HumanoidTask {
    public static var id: String { "humanoid-stand" }
    public static var note: String { "rise and stand still with a body of 21 joints" }
    static var targetSpeed: Double { 0 }
    static let compiled = Result { try load() }

    var physics = model.start
    public init() {}
  }

  /// `humanoid walk` of the DeepMind Control suite.
  public struct HumanoidWalk: HumanoidTask {
    public static var id: String { "humanoid-walk" }
    public static var note: String { "rise and walk with a body of 21 joints, at 1 m/s for the full reward" }
    static var targetSpeed: Double { 1 }
    static let compiled = Result { try load() }

    var physics = model.start
    public init() {}
  }

  /// `humanoid run` of the DeepMind Control suite.
  public struct HumanoidRun: HumanoidTask {
    public static var id: String { "humanoid-run" }
    public static var note: String { "rise and run with a body of 21 joints, at 10 m/s for the full reward" }
    static var targetSpeed: Double { 10 }
    static let compiled = Result { try load() }

    var physics = model.start
    public init() {}
  }
#endif
