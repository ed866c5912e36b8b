#if MuJoCo
  import Core

  /// `walker` of the suite: two legs and a torso in the plane.
  protocol WalkerTask: SuiteTask {
    /// The forward speed with the full reward, in m/s. 0 means that standing is enough.
    static var targetSpeed: Double { get }
  }

  private let bodies = ["torso", "right_thigh", "right_leg", "right_foot", "left_thigh", "left_leg", "left_foot"]

  extension WalkerTask {
    static var substeps: Int { 10 }
    public static var observationNames: [String] {
      let joints = [
        "rootz", "rootx", "rooty", "right_hip", "right_knee", "right_ankle", "left_hip", "left_knee", "left_ankle",
      ]
      return bodies.flatMap { ["\($0)-xx", "\($0)-xz"] } + ["height"] + joints.map { "\($0)-velocity" }
    }

    static func load() throws -> SuiteModel { try SuiteModel("walker.xml") }

    static func start(_ simulation: Simulation, using random: inout Random) { simulation.drawJoints(using: &random) }

    /// A soft reward for standing, 3/4 for the height and 1/4 for being upright, times one for the speed if there is a
    /// target.
    static func reward(_ simulation: Simulation) -> Double {
      let height = simulation.position(of: .body("torso")).z
      let standing = tolerance(height, 1.2...(.infinity), margin: 0.6)
      let upright = (1 + simulation.frame(of: .body("torso")).z.z) / 2
      let stand = (3 * standing + upright) / 4
      guard targetSpeed > 0 else { return stand }
      let speed = simulation.sensor("torso_subtreelinvel")[0]
      let move = tolerance(
        speed, targetSpeed...(.infinity), margin: targetSpeed / 2, sigmoid: .linear, valueAtMargin: 0.5)
      return stand * (5 * move + 1) / 6
    }

    /// The orientation of each body in the plane, the torso's height, and velocities.
    static func observe(_ simulation: Simulation) -> [Double] {
      let turns = bodies.flatMap { name in
        let frame = simulation.frame(of: .body(name))
        return [frame.x.x, frame.z.x]
      }
      return turns + [simulation.position(of: .body("torso")).z] + simulation.velocities
    }
  }

  /// `walker stand` of the DeepMind Control suite.
  public struct WalkerStand: WalkerTask {
    public static var id: String { "walker-stand" }
    public static var note: String { "rise from the ground and stand on two legs in the plane" }
    static var targetSpeed: Double { 0 }
    static let compiled = Result { try load() }

    var physics = model.start
    public init() {}
  }

  /// `walker walk` of the DeepMind Control suite.
  public struct WalkerWalk: WalkerTask {
    public static var id: String { "walker-walk" }
    public static var note: String { "rise and walk on two legs in the plane, at 1 m/s for the full reward" }
    static var targetSpeed: Double { 1 }
    static let compiled = Result { try load() }

    var physics = model.start
    public init() {}
  }

  /// `walker run` of the DeepMind Control suite.
  public struct WalkerRun: WalkerTask {
    public static var id: String { "walker-run" }
    public static var note: String { "rise and run on two legs in the plane, at 8 m/s for the full reward" }
    static var targetSpeed: Double { 8 }
    static let compiled = Result { try load() }

    var physics = model.start
    public init() {}
  }
#endif
