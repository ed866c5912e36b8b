#if MuJoCo
  import Core

  /// `cartpole swingup` with MuJoCo's physics and rendering. `CartPoleSwingup` provides the start state, reward and
  /// observation.
  public struct MuJoCoCartPoleSwingup: SuiteTask {
    public static var id: String { "mujoco-cartpole-swingup" }
    public static var note: String { "cartpole-swingup with MuJoCo's physics and rendering" }
    public static var actionRepeat: Int { CartPoleSwingup.actionRepeat }
    public static var observationNames: [String] { CartPoleSwingup.observationNames }
    static let compiled = Result { try SuiteModel("cartpole.xml") }

    var physics = model.start
    public init() {}

    static func start(_ simulation: Simulation, using random: inout Random) {
      var twin = CartPoleSwingup()
      twin.reset(using: &random)
      simulation.positions = Array(twin.state[..<2])
      simulation.velocities = Array(twin.state[2...])
    }

    static func reward(_ simulation: Simulation) -> Double {
      twin(simulation).reward(action: simulation.control[0])
    }

    static func observe(_ simulation: Simulation) -> [Double] { twin(simulation).observation }

    private static func twin(_ simulation: Simulation) -> CartPoleSwingup {
      var twin = CartPoleSwingup()
      twin.state = simulation.positions + simulation.velocities
      return twin
    }
  }
#endif
