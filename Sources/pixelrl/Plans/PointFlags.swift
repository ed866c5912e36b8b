import Core
import Formats
import Sweeps

/// The flags of the commands that make points, by their keys instead of a command line.
enum PointFlags {
  static let environment = keys(SettingsOptions<EnvironmentSource>.rows)
  static let encoder = keys(SettingsOptions<EncoderSource>.rows)
  static let autoencoder = keys(SettingsOptions<AutoencoderSource>.rows)
  static let agent = keys(SettingsOptions<AgentSource>.rows)
  static let training = keys(SettingsOptions<TrainingSource>.rows)
  static let machine = keys(SettingsOptions<MachineSource>.rows)
  static let collection = keys(SettingsOptions<CollectionSource>.rows)
  static let pretraining = keys(SettingsOptions<PretrainingSource>.rows)
  static let dataset = keys(SettingsOptions<DatasetSource>.rows)

  private static func keys(_ rows: [SettingRow]) -> Set<String> { Set(rows.map(\.key)) }

  /// The settings of each command.
  static let all: [Point.Command: Set<String>] = [
    .train: [environment, encoder, autoencoder, agent, training, machine].reduce([]) { $0.union($1) },
    .pretrain: [environment, collection, autoencoder, pretraining, machine].reduce([]) { $0.union($1) },
    .collect: environment.union(dataset),
  ]
}

extension ConfigOptions {
  fileprivate init(path: String?) {
    self.init()
    config = path
  }
}

extension TrainingFlags {
  init(_ flags: [String: String], config: String? = nil) {
    self.init()
    latent = false
    source = ConfigOptions(path: config)
    environment = SettingsOptions(from: flags, keys: PointFlags.environment)
    encoder = SettingsOptions(from: flags, keys: PointFlags.encoder)
    newEncoder = SettingsOptions(from: flags, keys: PointFlags.autoencoder)
    agent = SettingsOptions(from: flags, keys: PointFlags.agent)
    training = SettingsOptions(from: flags, keys: PointFlags.training)
    machine = SettingsOptions(from: flags, keys: PointFlags.machine)
  }
}

extension PretrainingFlags {
  init(_ flags: [String: String], config: String? = nil) {
    self.init()
    source = ConfigOptions(path: config)
    environment = SettingsOptions(from: flags, keys: PointFlags.environment)
    collection = SettingsOptions(from: flags, keys: PointFlags.collection)
    encoder = SettingsOptions(from: flags, keys: PointFlags.autoencoder)
    pretraining = SettingsOptions(from: flags, keys: PointFlags.pretraining)
    machine = SettingsOptions(from: flags, keys: PointFlags.machine)
  }
}

extension CollectionFlags {
  init(_ flags: [String: String], config: String? = nil) {
    self.init()
    source = ConfigOptions(path: config)
    environment = SettingsOptions(from: flags, keys: PointFlags.environment)
    collection = SettingsOptions(from: flags, keys: PointFlags.dataset)
  }
}
