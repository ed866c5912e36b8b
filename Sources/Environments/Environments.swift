import Core

/// The catalog: each environment is one file and one line here.
public enum Environments {
  public static let all: [any Environment.Type] = [
    CartPoleSwingup.self,
    CartPoleBalance.self,
    CartPoleSwingupSparse.self,
    PendulumSwingup.self,
    Catch.self,
  ]

  /// - Throws: `InputError` that names the nearest environment.
  public static func named(_ id: String) throws -> any Environment.Type {
    guard let found = all.first(where: { $0.id == id }) else {
      throw InputError.unknown("environment", id, known: all.map { $0.id })
    }
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
        "env", \.env, kind: "environment", among: Environments.all.map { $0.id },
        "the environment; 'pixelrl envs' tells more")
    ]
  }
}
