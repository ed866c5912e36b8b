import Core

/// The catalog: each environment is one file and one line here.
public enum Environments {
  public static let all: [any BuiltInEnvironment.Type] =
    [
      CartPoleSwingup.self,
      CartPoleBalance.self,
      CartPoleBalanceSparse.self,
      CartPoleSwingupSparse.self,
      PendulumSwingup.self,
      Catch.self,
    ] + suite

  /// What the name of a Gymnasium environment begins with: `gym:CartPole-v1`.
  public static let gymPrefix = GymName.prefix

  /// The tasks on MuJoCo's physics; none without the package trait `MuJoCo`.
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

  /// The environment of a name, from which any number of episodes can be made.
  ///
  /// - Parameter timeout: seconds that a Python process may take to start, but at least 120.
  /// - Throws: `InputError` that names the nearest environment; `WorldError` if something that it needs is missing.
  public static func named(_ id: String, timeout: Int = 0) throws -> any Environment {
    if id.hasPrefix(gymPrefix) { return GymEnvironment(try Gymnasium.named(id, timeout: timeout)) }
    guard let found = all.first(where: { $0.id == id }) else { throw unknown(id) }
    try found.prepare()
    return found.init()
  }

  /// What to type in place of a name that is none of ours: Gymnasium's `CartPole-v1` is `gym:CartPole-v1` here.
  fileprivate static func unknown(_ id: String) -> InputError {
    let isGymnasiums = id.contains { "/:".contains($0) } || id.contains(/-v[0-9]+$/)
    guard isGymnasiums else { return InputError.unknown("environment", id, known: all.map { $0.id }) }
    return InputError("unknown environment '\(id)': one of Gymnasium is named \(gymPrefix)\(id)")
  }
}

/// Which environment, as a setting.
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
