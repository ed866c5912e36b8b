#if MuJoCo
  import Core

  /// `swimmer` of the suite: a chain of links in a thick fluid, whose nose is to reach a target.
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

    /// The suite's file holds the head alone; the other links, their motors and sensors follow from their number.
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

    /// Bent and turned anyhow; the target mostly anywhere in the pool, in one of five episodes close by.
    static func start(_ simulation: Simulation, using random: inout Random) {
      simulation.drawJoints(using: &random)
      let box = random.uniform() < 0.2 ? 0.3 : 2
      simulation.placed = [random.uniform(-box, box), random.uniform(-box, box)]
    }

    static func reward(_ simulation: Simulation) -> Double {
      let radius = simulation.size(of: .geom("target")).x
      return tolerance(length(toTarget(simulation)), 0...radius, margin: 5 * radius, sigmoid: .longTail)
    }

    /// Angles of the joints, the way to the target, and each link's velocity in its own coordinates.
    static func observe(_ simulation: Simulation) -> [Double] {
      let way = toTarget(simulation)
      let velocities = (["head_vel"] + (0..<links - 1).map { "velocimeter_\($0)" }).map(simulation.sensor)
      let turns = (["head_gyro"] + (0..<links - 1).map { "gyro_\($0)" }).map(simulation.sensor)
      return concatenated(
        Array(simulation.positions.dropFirst(3)), [way.x, way.y],
        zip(velocities, turns).flatMap { velocity, turn in [velocity[0], velocity[1], turn[2]] })
    }

    /// From the nose to the target in the head's coordinates, within the plane.
    private static func toTarget(_ simulation: Simulation) -> SIMD3<Double> {
      let way = simulation.position(of: .geom("target")) - simulation.position(of: .geom("nose"))
      var local = simulation.frame(of: .body("head")).local(way)
      local.z = 0
      return local
    }
  }

  /// `swimmer swimmer6` of the DeepMind Control suite.
  public struct Swimmer6: SwimmerTask {
    public static var id: String { "swimmer-6" }
    public static var note: String { "bring the nose of a chain of 6 links to a target through a thick fluid" }
    static var links: Int { 6 }
    static let compiled = Result { try load() }

    var physics = model.start
    public init() {}
  }

  /// `swimmer swimmer15` of the DeepMind Control suite.
  public struct Swimmer15: SwimmerTask {
    public static var id: String { "swimmer-15" }
    public static var note: String { "bring the nose of a chain of 15 links to a target through a thick fluid" }
    static var links: Int { 15 }
    static let compiled = Result { try load() }

    var physics = model.start
    public init() {}
  }
#endif
