#if MuJoCo
  import Core

  /// `fish` of the suite: a fish in deep water, driven by its tail and fins.
  protocol FishTask: SuiteTask {}

  private let joints = [
    "tail1", "tail_twist", "tail2", "finright_roll", "finright_pitch", "finleft_roll", "finleft_pitch",
  ]

  extension FishTask {
    static var substeps: Int { 10 }

    /// Draws any orientation, with tail and fins nearly straight.
    static func drawPose(_ simulation: Simulation, _ random: inout Random) {
      simulation.setRotation(at: 3, (0..<4).map { _ in random.normal() })
      for joint in joints { simulation[joint: joint] = random.uniform(-0.2, 0.2) }
    }

    /// 1 upright, -1 upside down.
    static func upright(_ simulation: Simulation) -> Double { simulation.frame(of: .body("torso")).z.z }

    static func angles(_ simulation: Simulation) -> [Double] { joints.map { simulation[joint: $0] } }
    static var velocityNames: [String] { Array(stateNames[model.layout.velocities]) }
  }

  /// `fish upright` of the DeepMind Control suite.
  public struct FishUpright: FishTask {
    public static var id: String { "fish-upright" }
    public static var note: String { "turn a fish upright in deep water with its tail and fins" }
    public static var observationNames: [String] { joints + ["upright"] + velocityNames }
    static let compiled = Result { try SuiteModel("fish.xml", adjust: { $0.hide(.geom("target")) }) }

    var physics = model.start
    public init() {}

    static func start(_ simulation: Simulation, using random: inout Random) { drawPose(simulation, &random) }

    static func reward(_ simulation: Simulation) -> Double { tolerance(upright(simulation), 1...1, margin: 1) }

    static func observe(_ simulation: Simulation) -> [Double] {
      angles(simulation) + [upright(simulation)] + simulation.velocities
    }
  }

  /// `fish swim` of the DeepMind Control suite.
  public struct FishSwim: FishTask {
    public static var id: String { "fish-swim" }
    public static var note: String { "swim to a target with a fish driven by its tail and fins" }
    public static var observationNames: [String] {
      concatenated(joints, ["upright", "target-x", "target-y", "target-z"], velocityNames)
    }
    static let compiled = Result {
      try SuiteModel("fish.xml", placements: (0..<3).map { .position(.geom("target"), $0) })
    }

    var physics = model.start
    public init() {}

    static func start(_ simulation: Simulation, using random: inout Random) {
      drawPose(simulation, &random)
      simulation.placed = [random.uniform(-0.4, 0.4), random.uniform(-0.4, 0.4), random.uniform(0.1, 0.3)]
    }

    /// 7/8 for the distance of the mouth to the target, softly, and 1/8 for being upright.
    static func reward(_ simulation: Simulation) -> Double {
      let radii = simulation.size(of: .geom("mouth")).x + simulation.size(of: .geom("target")).x
      let inTarget = tolerance(length(toTarget(simulation)), 0...radii, margin: 2 * radii)
      return (7 * inTarget + 0.5 * (upright(simulation) + 1)) / 8
    }

    static func observe(_ simulation: Simulation) -> [Double] {
      concatenated(
        angles(simulation), [upright(simulation)], toTarget(simulation).numbers, simulation.velocities)
    }

    /// The vector from the mouth to the target, in the mouth's coordinates.
    private static func toTarget(_ simulation: Simulation) -> SIMD3<Double> {
      let mouth = Element.geom("mouth")
      return simulation.frame(of: mouth).local(
        simulation.position(of: .geom("target")) - simulation.position(of: mouth))
    }
  }
#endif
