#if MuJoCo
  import Core

  #if canImport(Glibc)
    import Glibc
  #else
    import Foundation
  #endif

  /// `manipulator bring_ball` of the DeepMind Control suite.
  public struct ManipulatorBringBall: SuiteTask {
    public static var id: String { "manipulator-bring-ball" }
    public static var note: String { "grasp a ball with an arm and a hand in the plane, and move it to a target" }
    static var substeps: Int { 10 }
    public static var observationNames: [String] {
      concatenated(
        arm.flatMap { ["\($0)-sin", "\($0)-cos"] }, arm.map { "\($0)-velocity" }, touches.map { "\($0)-touch" },
        pose.map { "hand-\($0)" }, pose.map { "ball-\($0)" },
        ["ball-x-velocity", "ball-z-velocity", "ball-turn-velocity"], pose.map { "target-\($0)" })
    }

    private static let arm = [
      "arm_root", "arm_shoulder", "arm_elbow", "arm_wrist", "finger", "fingertip", "thumb", "thumbtip",
    ]
    private static let touches = ["palm", "finger", "thumb", "fingertip", "thumbtip"]
    private static let pose = ["x", "z", "qw", "qy"]
    private static let target = Element.body("target_ball")

    static let compiled = Result {
      try SuiteModel(
        "manipulator.xml",
        placements: [.position(target, 0), .position(target, 2), .rotation(target, 0), .rotation(target, 2)],
        edit: { source in
          for name in ["cup", "peg", "target_peg", "slot"] { try source.remove("body", named: name) }
        })
    }

    var physics = model.start
    public init() {}

    /// Draws the arm and the target. The ball starts in the hand or at the target in 10% of episodes each, else
    /// anywhere with a random velocity.
    static func start(_ simulation: Simulation, using random: inout Random) {
      let joints = arm.map { (name: $0, joint: simulation.joint(named: $0)) }
      simulation.drawUntilFree {
        for (name, joint) in joints {
          if case .limited(let range) = joint.kind {
            simulation[joint: name] = random.uniform(range.lowerBound, range.upperBound)
          } else {
            simulation[joint: name] = random.uniform(-.pi, .pi)
          }
        }
        simulation[joint: "finger"] = simulation[joint: "thumb"]
        let goal = (x: random.uniform(-0.4, 0.4), z: random.uniform(0.1, 0.4), angle: random.uniform(-.pi, .pi))
        simulation.placed = [goal.x, goal.z, cos(goal.angle / 2), sin(goal.angle / 2)]
        let kind = random.uniform()
        simulation[velocityOf: "ball_x"] = 0
        if kind < 0.1 {
          simulation.settle()
          let grasp = simulation.position(of: .site("grasp"))
          let direction = simulation.frame(of: .site("grasp")).x
          setBall(simulation, grasp.x, grasp.z, .pi - atan2(direction.z, direction.x))
        } else if kind < 0.2 {
          setBall(simulation, goal.x, goal.z, goal.angle)
        } else {
          setBall(simulation, random.uniform(-0.5, 0.5), random.uniform(0, 0.7), random.uniform(0, 2 * .pi))
          simulation[velocityOf: "ball_x"] = random.uniform(-5, 5)
        }
      }
    }

    private static func setBall(_ simulation: Simulation, _ x: Double, _ z: Double, _ angle: Double) {
      simulation[joint: "ball_x"] = x
      simulation[joint: "ball_z"] = z
      simulation[joint: "ball_y"] = angle
    }

    /// 1 while the ball is within a centimetre of the target, decreasing softly outside.
    static func reward(_ simulation: Simulation) -> Double {
      let way = simulation.position(of: .site("ball")) - simulation.position(of: .site("target_ball"))
      return tolerance(length(way), 0...0.01, margin: 0.02)
    }

    static func observe(_ simulation: Simulation) -> [Double] {
      func pose(_ body: String) -> [Double] {
        let (position, q) = (simulation.position(of: .body(body)), simulation.quaternion(ofBody: body))
        return [position.x, position.z, q[0], q[2]]
      }
      let angles = arm.map { simulation[joint: $0] }
      let touch = touches.flatMap { simulation.sensor("\($0)_touch") }.logarithmic
      let ball = ["ball_x", "ball_z", "ball_y"].map { simulation[velocityOf: $0] }
      return concatenated(
        angles.flatMap { [sin($0), cos($0)] }, arm.map { simulation[velocityOf: $0] }, touch, pose("hand"),
        pose("ball"),
        ball, pose("target_ball"))
    }
  }
#endif
