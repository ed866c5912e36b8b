import Core
import Environments
import Formats
import Runs
import Training

/// The settings of the run of `--from` that a new run has by default: those of its environment, encoder and agent, and
/// the history that its agent observes. So the weights fit.
struct StartDefaults {
  let saved: SavedAgent
  private let file: SettingsFile
  /// Whether the new run is in another environment. Then only the settings of frames are kept.
  private let isElsewhere: Bool

  /// - Parameter environment: the name of the environment that is given; nil: that of the run.
  init(_ path: String, environment: String?) throws {
    saved = try SavedAgent(path: path)
    file = try saved.run.settings()
    isElsewhere = environment != nil && environment != saved.facts.environment
  }

  /// Sets the settings that the new run has from this one.
  func apply<Group: SettingsGroup>(to group: inout Group) throws {
    var own = group
    try file.apply(to: &own)
    let values = Dictionary(uniqueKeysWithValues: own.record.map { ($0.key, $0.text) })
    for field in Group.fields where isKept(field.key, of: Group.self) {
      if let text = values[field.key] { try field.set(&group, text) }
    }
  }

  private func isKept<Group: SettingsGroup>(_ key: String, of group: Group.Type) -> Bool {
    switch Group.title {
    case TrainingSettings.title: TrainingSettings.historyKeys.contains(key)
    case MachineSettings.title: false
    case EpisodeSettings.title: !isElsewhere || EpisodeSettings.keys(changing: .view).contains(key)
    default: true
    }
  }
}
