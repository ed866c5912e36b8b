#if MuJoCo
  import Core

  /// `cheetah run` of the DeepMind Control suite.
  public struct CheetahRun: SuiteTask {
    public static var id: String { "cheetah-run" }
    public static var note: String { "run with a two-legged cheetah in the plane, at 10 m/s for the full reward" }
    public static var actionRepeat: Int { 4 }
    public static var wrappingAngles: Set<String> { ["rooty"] }
    public static var observationNames: [String] {
      let joints = ["rootx", "rootz", "rooty", "bthigh", "bshin", "bfoot", "fthigh", "fshin", "ffoot"]
      return Array(joints.dropFirst()) + joints.map { "\($0)-velocity" }
    }
    static let compiled = Result { try SuiteModel("cheetah.xml") }

    var physics = model.start
    public init() {}

    /// Draws a random pose and simulates two seconds, in which it falls to the ground.
    static func start(_ simulation: Simulation, using random: inout Random) {
      for joint in simulation.joints {
        if case .limited(let range) = joint.kind {
          simulation[joint.address] = random.uniform(range.lowerBound, range.upperBound)
        }
      }
      simulation.advance(200, isCurrent: false)
      simulation.time = 0
    }

    static func reward(_ simulation: Simulation) -> Double {
      let speed = simulation.sensor("torso_subtreelinvel")[0]
      return tolerance(speed, 10...(.infinity), margin: 10, sigmoid: .linear, valueAtMargin: 0)
    }

    /// All positions except the distance travelled, and all velocities.
    static func observe(_ simulation: Simulation) -> [Double] {
      simulation.positions.dropFirst() + simulation.velocities
    }
  }
#endif
