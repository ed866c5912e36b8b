import Agents
import Autoencoders
import Core
import Environments
import Representations
import Training

// The settings that commands take as flags. The settings of all members of a catalog are flags; the command rejects
// those of members that it does not use.

enum EpisodeSource: SettingsSource {
  static let groups: [any SettingsGroup.Type] = [EpisodeSettings.self]
}

enum EnvironmentSource: SettingsSource {
  static let groups: [any SettingsGroup.Type] = [EnvironmentChoice.self, EpisodeSettings.self]
}

enum EncoderSource: SettingsSource {
  static let groups: [any SettingsGroup.Type] = [EncoderSettings.self]
}

enum AgentSource: SettingsSource {
  static let groups: [any SettingsGroup.Type] = [AgentChoice.self]
  static let members: [(name: String, group: any SettingsGroup.Type)] = Agents.all.map {
    (name: $0.id, group: settingsType($0))
  }

  private static func settingsType<A: Agent>(_ agent: A.Type) -> any SettingsGroup.Type { A.Settings.self }
}

enum TrainingSource: SettingsSource {
  static let groups: [any SettingsGroup.Type] = [
    StartingWeights.self, SeedChoice<TrainingSettings>.self, TrainingSettings.self,
  ]
}

enum AutoencoderSource: SettingsSource {
  static let groups: [any SettingsGroup.Type] = [AutoencoderChoice.self]
  static let members: [(name: String, group: any SettingsGroup.Type)] = Autoencoders.all.map {
    (name: $0.id, group: settingsType($0))
  }

  private static func settingsType<Model: Autoencoder>(_ kind: Model.Type) -> any SettingsGroup.Type {
    Model.Settings.self
  }
}

enum CollectionSource: SettingsSource {
  static let groups: [any SettingsGroup.Type] = [CollectionSettings.self]
}

/// The settings of `pixelrl collect`, which only collects a dataset.
enum DatasetSource: SettingsSource {
  static let groups: [any SettingsGroup.Type] = [
    SeedChoice<CollectionSettings>.self, PolicyChoice.self, CollectionSettings.self,
  ]
}

enum MachineSource: SettingsSource {
  static let groups: [any SettingsGroup.Type] = [MachineSettings.self]
}

enum PretrainingSource: SettingsSource {
  static let groups: [any SettingsGroup.Type] = [
    SeedChoice<PretrainingSettings>.self, DatasetChoice.self, PretrainingSettings.self,
  ]
}
