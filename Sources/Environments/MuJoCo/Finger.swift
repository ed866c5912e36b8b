#if MuJoCo
  import Core

  #if canImport(Glibc)
    import Glibc
  #else
    import Foundation
  #endif

  /// `finger` of the suite: a finger with two links next to a body that rotates on a hinge.
  protocol FingerTask: SuiteTask {}

  extension FingerTask {
    static var substeps: Int { 2 }

    /// Draws all joints such that there are no contacts.
    static func drawPose(_ simulation: Simulation, _ random: inout Random) {
      simulation.drawUntilFree { simulation.drawJoints(using: &random) }
    }

    static var bodyNames: [String] {
      [
        "proximal", "distal", "tip-x", "tip-z", "proximal-velocity", "distal-velocity", "hinge-velocity", "touch-top",
        "touch-bottom",
      ]
    }

    /// The finger's angles, the position of the body's tip relative to the hinge, velocities, and the touch sensors.
    static func body(_ simulation: Simulation) -> [Double] {
      let tip = aroundHinge(simulation, "tip")
      return concatenated(
        simulation.sensor("proximal"), simulation.sensor("distal"), tip, simulation.sensor("proximal_velocity"),
        simulation.sensor("distal_velocity"), simulation.sensor("hinge_velocity"),
        simulation.sensor("touchtop").logarithmic, simulation.sensor("touchbottom").logarithmic)
    }

    /// Returns x and z of a position sensor relative to the hinge.
    static func aroundHinge(_ simulation: Simulation, _ name: String) -> [Double] {
      let (position, hinge) = (simulation.sensor(name), simulation.sensor("spinner"))
      return [position[0] - hinge[0], position[2] - hinge[2]]
    }
  }

  /// `finger spin` of the DeepMind Control suite.
  public struct FingerSpin: FingerTask {
    public static var id: String { "finger-spin" }
    public static var note: String { "flick a body on a hinge with a finger so that it keeps spinning" }
    public static var observationNames: [String] { bodyNames }
    static let compiled = Result {
      try SuiteModel(
        "finger.xml",
        adjust: { simulation in
          simulation.hide(.site("target"))
          simulation.hide(.site("tip"))
          simulation.setDamping(ofJoint: "hinge", 0.03)
        })
    }

    var physics = model.start
    public init() {}

    static func start(_ simulation: Simulation, using random: inout Random) { drawPose(simulation, &random) }

    /// 1 while the body spins at 15 rad/s or more.
    static func reward(_ simulation: Simulation) -> Double { simulation.sensor("hinge_velocity")[0] <= -15 ? 1 : 0 }

    static func observe(_ simulation: Simulation) -> [Double] { body(simulation) }
  }

  /// `finger turn` of the suite: the tip of the body must reach a target.
  protocol FingerTurnTask: FingerTask {}

  extension FingerTurnTask {
    public static var observationNames: [String] { bodyNames + ["target-x", "target-z", "target-distance"] }

    /// - Parameter radius: The radius of the target in metres.
    static func load(radius: Double) throws -> SuiteModel {
      let target = Element.site("target")
      return try SuiteModel(
        "finger.xml", placements: [.position(target, 0), .position(target, 2)],
        adjust: { $0.setRadius(of: target, radius) })
    }

    /// Draws a target on the circle that the tip can reach.
    static func start(_ simulation: Simulation, using random: inout Random) {
      let angle = random.uniform(-.pi, .pi)
      let hinge = simulation.position(of: .joint("hinge"))
      let radius = simulation.size(of: .geom("cap1")).sum()
      simulation.placed = [hinge.x + radius * sin(angle), hinge.z + radius * cos(angle)]
      drawPose(simulation, &random)
    }

    /// 1 while the tip is inside the target.
    static func reward(_ simulation: Simulation) -> Double { distance(simulation) <= 0 ? 1 : 0 }

    static func observe(_ simulation: Simulation) -> [Double] {
      body(simulation) + aroundHinge(simulation, "target") + [distance(simulation)]
    }

    /// The distance from the tip to the target's surface in metres, negative inside.
    private static func distance(_ simulation: Simulation) -> Double {
      let (tip, target) = (aroundHinge(simulation, "tip"), aroundHinge(simulation, "target"))
      let difference = SIMD3(target[0] - tip[0], target[1] - tip[1], 0)
      return length(difference) - simulation.size(of: .site("target")).x
    }
  }

  /// `finger turn_easy` of the DeepMind Control suite.
  public struct FingerTurnEasy: FingerTurnTask {
    public static var id: String { "finger-turn-easy" }
    public static var note: String { "turn a body on a hinge with a finger until its tip is inside a large target" }
    static let compiled = Result { try load(radius: 0.07) }

    var physics = model.start
    public init() {}
  }

  /// `finger turn_hard` of the DeepMind Control suite.
  public struct FingerTurnHard: FingerTurnTask {
    public static var id: String { "finger-turn-hard" }
    public static var note: String { "turn a body on a hinge with a finger until its tip is inside a small target" }
    static let compiled = Result { try load(radius: 0.03) }

    var physics = model.start
    public init() {}
  }
#endif
