import Core

/// The catalog: each environment is one file and one line here.
public enum Environments {
  public static let all: [any Environment.Type] =
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
  private static var suite: [any Environment.Type] {
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

  /// - Throws: `InputError` that names the nearest environment; `WorldError` if something that it needs is missing.
  public static func named(_ id: String) throws -> any Environment.Type {
    if id.hasPrefix(gymPrefix) {
      try Gymnasium.choose(id)
      return GymEnvironment.self
    }
    guard let found = all.first(where: { $0.id == id }) else {
      throw InputError.unknown("environment", id, known: all.map { $0.id })
    }
    try found.prepare()
    return found
  }
}

/// Which environment, as a setting.
public struct EnvironmentChoice: SettingsGroup, Hashable {
  public var env = CartPoleSwingup.id

  public init() {}
  public static var fields: [Field<Self>] {
    [
      Field(
        "env", \.env, kind: "environment", among: Environments.all.map { $0.id }, orAfter: Environments.gymPrefix,
        domain: "a name that 'pixelrl envs' lists, or gym:NAME", "the environment")
    ]
  }
}
