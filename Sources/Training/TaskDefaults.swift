/// The settings that were found to serve a task best, where they are not everybody's: the defaults that the commands start
/// from for it. `experiments/suite` has the trials.
public enum TaskDefaults {
  /// Texts as one types them, by the title of the group in a settings file and the setting's key.
  public typealias Settings = [String: [String: String]]

  public static func of(_ environment: String) -> Settings { all[environment] ?? [:] }

  public static let all: [String: Settings] = [
    "pendulum-swingup": [
      "training": ["explore-chance": "0.2", "return-steps": "3"],
      "agent": ["initial-temperature": "0.01"],
    ]
  ]
}
