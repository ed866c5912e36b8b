#if MuJoCo
  import Core

  /// `ball_in_cup catch` of the DeepMind Control suite.
  public struct BallInCupCatch: SuiteTask {
    public static var id: String { "ball-in-cup-catch" }
    public static var note: String { "swing a ball on a string up and into the cup that it hangs from" }
    public static var actionRepeat: Int { 4 }
    public static var explorationLength: Int? { 200 }
    static var substeps: Int { 10 }
    public static var observationNames: [String] {
      let joints = ["cup-x", "cup-z", "ball-x", "ball-z"]
      return joints + joints.map { "\($0)-velocity" }
    }
    /// Before version 3, MuJoCo overestimates the mass of a body that slides along two axes by a third in contacts. In
    /// version 3 the value that is set here is the model's own.
    static let compiled = Result {
      try SuiteModel("ball_in_cup.xml", adjust: { $0.setContactSoftness(ofBody: "ball", along: "ball_x") })
    }

    var physics = model.start
    public init() {}

    /// Draws a ball position below or beside the cup, without contacts.
    static func start(_ simulation: Simulation, using random: inout Random) {
      simulation.drawUntilFree {
        simulation[joint: "ball_x"] = random.uniform(-0.2, 0.2)
        simulation[joint: "ball_z"] = random.uniform(0.2, 0.5)
      }
    }

    /// 1 while the whole ball is inside the cup's box, which is slightly larger than the walls.
    static func reward(_ simulation: Simulation) -> Double {
      let way = simulation.position(of: .site("target")) - simulation.position(of: .body("ball"))
      let room = simulation.size(of: .site("target")) - simulation.size(of: .geom("ball")).x
      return abs(way.x) < room.x && abs(way.z) < room.z ? 1 : 0
    }

    static func observe(_ simulation: Simulation) -> [Double] { simulation.positions + simulation.velocities }
  }
#endif
