#if MuJoCo
  import Core

  #if canImport(Glibc)
    import Glibc
  #else
    import Foundation
  #endif

  /// `reacher` of the suite: an arm with two links reaches for a target in the plane.
  protocol ReacherTask: SuiteTask {}

  extension ReacherTask {
    public static var actionRepeat: Int { 4 }
    public static var explorationLength: Int? { 40 }
    public static var wrappingAngles: Set<String> { ["shoulder"] }
    public static var observationNames: [String] {
      ["shoulder", "wrist", "to-target-x", "to-target-y", "shoulder-velocity", "wrist-velocity"]
    }

    /// - Parameter radius: The radius of the target in metres.
    static func load(radius: Double) throws -> SuiteModel {
      let target = Element.geom("target")
      return try SuiteModel(
        "reacher.xml", placements: [.position(target, 0), .position(target, 1)],
        adjust: { $0.setRadius(of: target, radius) })
    }

    static func start(_ simulation: Simulation, using random: inout Random) {
      simulation.drawJoints(using: &random)
      let angle = random.uniform(0, 2 * .pi)
      let radius = random.uniform(0.05, 0.2)
      simulation.placed = [radius * sin(angle), radius * cos(angle)]
    }

    private static func toTarget(_ simulation: Simulation) -> SIMD3<Double> {
      var difference = simulation.position(of: .geom("target")) - simulation.position(of: .geom("finger"))
      difference.z = 0
      return difference
    }

    /// 1 while finger and target overlap.
    static func reward(_ simulation: Simulation) -> Double {
      let reach = simulation.size(of: .geom("target")).x + simulation.size(of: .geom("finger")).x
      return tolerance(length(toTarget(simulation)), 0...reach)
    }

    static func observe(_ simulation: Simulation) -> [Double] {
      let difference = toTarget(simulation)
      return simulation.positions + [difference.x, difference.y] + simulation.velocities
    }
  }

  /// `reacher easy` of the DeepMind Control suite.
  public struct ReacherEasy: ReacherTask {
    public static var id: String { "reacher-easy" }
    public static var note: String { "reach a large target with a two-link arm and stay there" }
    static let compiled = Result { try load(radius: 0.05) }

    var physics = model.start
    public init() {}
  }

  /// `reacher hard` of the DeepMind Control suite.
  public struct ReacherHard: ReacherTask {
    public static var id: String { "reacher-hard" }
    public static var note: String { "reach a small target with a two-link arm and stay there" }
    static let compiled = Result { try load(radius: 0.015) }

    var physics = model.start
    public init() {}
  }
#endif
