#if MuJoCo
  import Core

  #if canImport(Glibc)
    import Glibc
  #else
    import Foundation
  #endif

  /// `quadruped` of the suite: four legs, each controlled by its yaw, lift and extension.
  protocol QuadrupedTask: SuiteTask {
    /// The forward speed with the full reward, in m/s.
    static var targetSpeed: Double { get }
  }

  private let corners = ["front_left", "front_right", "back_right", "back_left"]

  extension QuadrupedTask {
    static var substeps: Int { 4 }
    /// A camera that follows from the side. The suite's first camera is far away.
    static var camera: Int { 2 }
    public static var observationNames: [String] {
      let layout = model.layout
      let names = stateNames
      func axes(_ name: String) -> [String] { ["x", "y", "z"].map { "\(name)-\($0)" } }
      return concatenated(
        Array(names[layout.positions].dropFirst(7)), Array(names[layout.velocities].dropFirst(6)),
        Array(names[layout.activations]), axes("torso-velocity"), ["upright"], axes("acceleration"), axes("turn"),
        corners.flatMap { axes("force-\($0)") }, corners.flatMap { axes("torque-\($0)") })
    }

    /// Loads the model without terrain, walls, ball and range finders. The floor is large enough for an episode.
    static func load() throws -> SuiteModel {
      try SuiteModel(
        "quadruped.xml",
        edit: { source in
          for wall in ["wall_px", "wall_py", "wall_nx", "wall_ny", "terrain"] {
            try source.remove("geom", named: wall)
          }
          try source.remove("body", named: "ball")
          try source.remove("site", named: "target")
          source.removeAll("rangefinder")
        },
        adjust: { $0.setExtent(ofPlane: "floor", 20 * targetSpeed) })
    }

    /// Draws any orientation, just high enough to have no contacts.
    static func start(_ simulation: Simulation, using random: inout Random) {
      let rotation = (0..<4).map { _ in random.normal() }
      var height = 0.0
      repeat {
        for (index, x) in [0, 0, height].enumerated() { simulation[index] = x }
        simulation.setRotation(at: 3, rotation)
        simulation.settle()
        height += 0.01
      } while simulation.contactCount > 0
    }

    /// The product of soft rewards for being upright and for the forward speed.
    static func reward(_ simulation: Simulation) -> Double {
      let upright = tolerance(
        simulation.frame(of: .body("torso")).z.z, 1...(.infinity), margin: 2, sigmoid: .linear, valueAtMargin: 0)
      let speed = simulation.sensor("velocimeter")[0]
      return upright
        * tolerance(speed, targetSpeed...(.infinity), margin: targetSpeed, sigmoid: .linear, valueAtMargin: 0.5)
    }

    /// Joints, motors, the torso's motion and tilt, and the forces on the toes. The position is not included.
    static func observe(_ simulation: Simulation) -> [Double] {
      let forces = corners.flatMap { simulation.sensor("force_toe_\($0)") }
      let torques = corners.flatMap { simulation.sensor("torque_toe_\($0)") }
      return concatenated(
        Array(simulation.positions.dropFirst(7)), Array(simulation.velocities.dropFirst(6)), simulation.activations,
        simulation.sensor("velocimeter"), [simulation.frame(of: .body("torso")).z.z], simulation.sensor("imu_accel"),
        simulation.sensor("imu_gyro"), forces.map { asinh($0) }, torques.map { asinh($0) })
    }
  }

  /// `quadruped walk` of the DeepMind Control suite.
  public struct QuadrupedWalk: QuadrupedTask {
    public static var id: String { "quadruped-walk" }
    public static var note: String { "rise and walk on four legs, at 0.5 m/s for the full reward" }
    static var targetSpeed: Double { 0.5 }
    static let compiled = Result { try load() }

    var physics = model.start
    public init() {}
  }

  /// `quadruped run` of the DeepMind Control suite.
  public struct QuadrupedRun: QuadrupedTask {
    public static var id: String { "quadruped-run" }
    public static var note: String { "rise and run on four legs, at 5 m/s for the full reward" }
    static var targetSpeed: Double { 5 }
    static let compiled = Result { try load() }

    var physics = model.start
    public init() {}
  }
#endif
