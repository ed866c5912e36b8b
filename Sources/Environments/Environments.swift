import Core

/// The catalog of environments. Each one is a file and a line here.
public enum Environments {
  public static let catalog = Catalog<any BuiltInEnvironment.Type>(
    of: "environment",
    [
      CartPoleSwingup.self,
      CartPoleBalance.self,
      CartPoleBalanceSparse.self,
      CartPoleSwingupSparse.self,
      PendulumSwingup.self,
      Catch.self,
    ] + suite
  ) { $0.id }

  public static var all: [any BuiltInEnvironment.Type] { catalog.all }

  /// The prefix of a Gymnasium environment's name, as in `gym:CartPole-v1`.
  public static let gymPrefix = GymName.prefix

  /// The version of the MuJoCo library that is loaded, such as `3.17.0`. Nil without the package trait `MuJoCo`.
  public static var muJoCoVersion: String? {
    #if MuJoCo
      MuJoCoVersion.loaded
    #else
      nil
    #endif
  }

  /// The tasks that use MuJoCo's physics. Empty without the package trait `MuJoCo`.
  private static var suite: [any BuiltInEnvironment.Type] {
    #if MuJoCo
      [
        ReacherEasy.self, ReacherHard.self, BallInCupCatch.self, CheetahRun.self,
        WalkerStand.self, WalkerWalk.self, WalkerRun.self,
        FingerSpin.self, FingerTurnEasy.self, FingerTurnHard.self,
        HopperStand.self, HopperHop.self, AcrobotSwingup.self, AcrobotSwingupSparse.self, PointMassEasy.self,
        HumanoidStand.self, HumanoidWalk.self, HumanoidRun.self, FishUpright.self, FishSwim.self,
        Swimmer6.self, Swimmer15.self, QuadrupedWalk.self, QuadrupedRun.self, ManipulatorBringBall.self,
        MuJoCoCartPoleSwingup.self,
      ]
    #else
      []
    #endif
  }

  /// Whether an environment draws MuJoCo scenes, which the settings of `RenderStyle` change.
  public static func drawsScenes(_ id: String) -> Bool { suite.contains { $0.id == id } }

  /// Returns the environment with the given name. Any number of episodes can be created from it.
  ///
  /// - Parameter timeout: The time that a Python process may take to start, in seconds. At least 120 s are allowed.
  /// - Throws: `InputError` that suggests the closest name if the name is unknown; `WorldError` if something that the
  ///   environment needs is missing.
  public static func named(_ id: String, timeout: Int = 0) throws -> any Environment {
    if id.hasPrefix(gymPrefix) { return GymEnvironment(try Gymnasium.named(id, timeout: timeout)) }
    guard let found = all.first(where: { $0.id == id }) else { throw unknown(id) }
    try found.prepare()
    return found.init()
  }

  /// The end of the error for an unknown name, which may be the name of a task that this build leaves out.
  private static var missingTasks: String {
    #if MuJoCo
      ""
    #else
      "; 'make build MUJOCO=1' adds the tasks of the DeepMind Control suite"
    #endif
  }

  /// Returns the error for an unknown name. It suggests `gym:CartPole-v1` for Gymnasium's `CartPole-v1`.
  fileprivate static func unknown(_ id: String) -> InputError {
    let isGymnasiums = id.contains { "/:".contains($0) } || id.contains(/-v[0-9]+$/)
    guard isGymnasiums else {
      let error = InputError.unknown("environment", id, known: all.map { $0.id })
      let suggestsName = error.description.hasSuffix("?")
      return suggestsName ? error : InputError(error.description + missingTasks)
    }
    return InputError("unknown environment '\(id)': use \(gymPrefix)\(id) for the Gymnasium environment")
  }
}

/// The setting that selects the environment.
public struct EnvironmentChoice: SettingsGroup, Hashable {
  public var env = CartPoleSwingup.id

  public init() {}

  public static let title = "environment"
  public static var fields: [Field<Self>] {
    [
      Field(
        "env", \.env, kind: "environment", among: Environments.all.map { $0.id }, orAfter: Environments.gymPrefix,
        unknown: Environments.unknown, domain: "a name that 'pixelrl envs' lists, or gym:NAME", "the environment")
    ]
  }
}
