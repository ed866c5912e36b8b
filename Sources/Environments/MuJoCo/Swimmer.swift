#if MuJoCo
  import Core

  /// `swimmer` of the suite: a chain of links in a viscous fluid, whose nose must reach a target.
  protocol SwimmerTask: SuiteTask {
    static var links: Int { get }
  }

  extension SwimmerTask {
    static var substeps: Int { 15 }
    public static var observationNames: [String] {
      let bodies = ["head"] + (0..<links - 1).map { "segment_\($0)" }
      return concatenated(
        (0..<links - 1).map { "joint_\($0)" }, ["to-target-x", "to-target-y"],
        bodies.flatMap { ["\($0)-x-velocity", "\($0)-y-velocity", "\($0)-turn-velocity"] })
    }

    /// Loads the suite's file, which contains only the head, and adds the other links with their motors and sensors.
    static func load() throws -> SuiteModel {
      let target = Element.geom("target")
      return try SuiteModel(
        "swimmer.xml", placements: [.position(target, 0), .position(target, 1)],
        edit: { source in
          var (inner, motors, sensors) = ("", "", "")
          let limit = 360 / Double(links)
          for link in 0..<links - 1 {
            inner += """
              <body name="segment_\(link)" pos="0 .1 0">
              <geom class="visual" name="visual_\(link)"/><geom class="inertial" name="inertial_\(link)"/>
              <site name="site_\(link)"/><joint name="joint_\(link)" range="\(-limit) \(limit)"/>
              """
            motors += "<motor name=\"motor_\(link)\" joint=\"joint_\(link)\"/>"
            sensors += "<velocimeter name=\"velocimeter_\(link)\" site=\"site_\(link)\"/>"
            sensors += "<gyro name=\"gyro_\(link)\" site=\"site_\(link)\"/>"
          }
          inner += String(repeating: "</body>", count: links - 1)
          try source.replace("<site name=\"head\"/>", with: "<site name=\"head\"/>" + inner)
          try source.replace("</sensor>", with: sensors + "</sensor><actuator>\(motors)</actuator>")
        },
        adjust: { $0.moveTrackingCameras(by: Double(links) / 6) })
    }

    /// Draws any pose and a target: close by in 20% of episodes, else anywhere in the pool.
    static func start(_ simulation: Simulation, using random: inout Random) {
      simulation.drawJoints(using: &random)
      let box = random.uniform() < 0.2 ? 0.3 : 2
      simulation.placed = [random.uniform(-box, box), random.uniform(-box, box)]
    }

    static func reward(_ simulation: Simulation) -> Double {
      let radius = simulation.size(of: .geom("target")).x
      return tolerance(length(toTarget(simulation)), 0...radius, margin: 5 * radius, sigmoid: .longTail)
    }

    /// The joint angles, the vector to the target, and each link's velocity in its own coordinates.
    static func observe(_ simulation: Simulation) -> [Double] {
      let difference = toTarget(simulation)
      let velocities = (["head_vel"] + (0..<links - 1).map { "velocimeter_\($0)" }).map(simulation.sensor)
      let turns = (["head_gyro"] + (0..<links - 1).map { "gyro_\($0)" }).map(simulation.sensor)
      return concatenated(
        Array(simulation.positions.dropFirst(3)), [difference.x, difference.y],
        zip(velocities, turns).flatMap { velocity, turn in [velocity[0], velocity[1], turn[2]] })
    }

    /// The vector from the nose to the target in the plane, in the head's coordinates.
    private static func toTarget(_ simulation: Simulation) -> SIMD3<Double> {
      let difference = simulation.position(of: .geom("target")) - simulation.position(of: .geom("nose"))
      var local = simulation.frame(of: .body("head")).local(difference)
      local.z = 0
      return local
    }
  }

  /// `swimmer swimmer6` of the DeepMind Control suite.
  public struct Swimmer6: SwimmerTask {
    public static var id: String { "swimmer-6" }
    public static var note: String { "move the nose of a 6-link chain through a viscous fluid to a target" }
    static var links: Int { 6 }
    static let compiled = Result { try load() }

    var physics = model.start
    public init() {}
  }

  /// `swimmer swimmer15` of the DeepMind Control suite.
  public struct Swimmer15: SwimmerTask {
    public static var id: String { "swimmer-15" }
    public static var note: String { "move the nose of a 15-link chain through a viscous fluid to a target" }
    static var links: Int { 15 }
    static let compiled = Result { try load() }

    var physics = model.start
    public init() {}
  }
#endif
