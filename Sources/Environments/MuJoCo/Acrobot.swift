#if MuJoCo
  import Core

  /// `acrobot` of the suite: two links with a motor only at the joint between them.
  protocol AcrobotTask: SuiteTask {
    /// The distance from the target over which the reward decreases, in metres. 0 means a sparse reward.
    static var margin: Double { get }
  }

  extension AcrobotTask {
    public static var observationNames: [String] {
      ["upper-sin", "lower-sin", "upper-cos", "lower-cos", "shoulder-velocity", "elbow-velocity"]
    }

    static func load() throws -> SuiteModel { try SuiteModel("acrobot.xml") }

    static func start(_ simulation: Simulation, using random: inout Random) {
      simulation[joint: "shoulder"] = random.uniform(-.pi, .pi)
      simulation[joint: "elbow"] = random.uniform(-.pi, .pi)
    }

    /// Rewards the tip for being near its upright position.
    static func reward(_ simulation: Simulation) -> Double {
      let distance = length(simulation.position(of: .site("target")) - simulation.position(of: .site("tip")))
      return tolerance(distance, 0...simulation.size(of: .site("target")).x, margin: margin)
    }

    static func observe(_ simulation: Simulation) -> [Double] {
      let (upper, lower) = (simulation.frame(of: .body("upper_arm")).z, simulation.frame(of: .body("lower_arm")).z)
      return [upper.x, lower.x, upper.z, lower.z] + simulation.velocities
    }
  }

  /// `acrobot swingup` of the DeepMind Control suite.
  public struct AcrobotSwingup: AcrobotTask {
    public static var id: String { "acrobot-swingup" }
    public static var note: String { "swing two links up and balance them with a motor only between them" }
    static var margin: Double { 1 }
    static let compiled = Result { try load() }

    var physics = model.start
    public init() {}
  }

  /// `acrobot swingup_sparse` of the DeepMind Control suite.
  public struct AcrobotSwingupSparse: AcrobotTask {
    public static var id: String { "acrobot-swingup-sparse" }
    public static var note: String { "acrobot-swingup with a sparse reward: 1 if the tip is inside the target" }
    static var margin: Double { 0 }
    static let compiled = Result { try load() }

    var physics = model.start
    public init() {}
  }
#endif
