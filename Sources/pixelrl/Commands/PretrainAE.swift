import ArgumentParser
import Autoencoders
import Core
import Environments
import Runs
import Training

/// `pixelrl pretrain-ae`
struct PretrainAE: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "pretrain-ae", abstract: "Train an autoencoder on an environment's frames and freeze it.")

  @Option(help: ArgumentHelp("the environment; 'pixelrl envs' lists them", valueName: "env"))
  var env = CartPoleSwingup.id

  @Option(help: ArgumentHelp("the kind: \(Autoencoders.all.map { $0.id }.joined(separator: ", "))", valueName: "kind"))
  var kind = KeypointAutoencoder.id

  @Option(
    help: ArgumentHelp("a dataset of 'pixelrl collect' to train on, in place of collecting one", valueName: "folder"))
  var dataset: String?

  @OptionGroup var options: RunOptions
  @OptionGroup(title: "Environment settings") var episode: SettingsOptions<EpisodeSource>
  @OptionGroup(title: "Collection settings") var collection: SettingsOptions<CollectionSource>
  @OptionGroup(title: "Autoencoder settings") var model: SettingsOptions<AutoencoderSource>
  @OptionGroup(title: "Pretraining settings") var pretraining: SettingsOptions<PretrainingSource>

  func run() throws {
    try pretrain(try Environments.named(env), try Autoencoders.named(kind))
  }

  private func pretrain<E: Environment, Model: Autoencoder>(_ environment: E.Type, _ kind: Model.Type) throws {
    let resolver = try SettingsResolver(
      config: options.config, titles: ["environment", "collection", "autoencoder", "pretraining"])
    let work = PretrainingRun(
      E.self, Model.self, episode: try resolver.resolve("environment", EpisodeSettings.self, episode, of: E.id),
      collection: try resolver.resolve("collection", CollectionSettings.self, collection, of: "collection"),
      pretraining: try resolver.resolve("pretraining", PretrainingSettings.self, pretraining, of: "pretraining"),
      model: try resolver.resolve("autoencoder", Model.Settings.self, model, of: "the autoencoder \(Model.id)"),
      seed: Seed(options.seed), dataset: try dataset.map { try FrameDataset(path: $0) })
    try work.check()
    let directory = try options.directory("pretrain-ae", environment: E.id, member: Model.id, settings: work.groups)
    let summary = try work.run(in: directory, say: printLine)
    try printLine("autoencoder: \(directory.path)")
    try printLine("pictures: \(directory.file("reconstructions.png")), \(directory.file("worst.png"))")
    if options.json { try printLine(summary.description) }
  }
}

enum CollectionSource: SettingsSource {
  static let groups: [any SettingsGroup.Type] = [CollectionSettings.self]
}

enum PretrainingSource: SettingsSource {
  static let groups: [any SettingsGroup.Type] = [PretrainingSettings.self]
}

/// What the members of the catalog take.
enum AutoencoderSource: SettingsSource {
  static let groups: [any SettingsGroup.Type] = Autoencoders.all.map { settingsType($0) }

  private static func settingsType<Model: Autoencoder>(_ kind: Model.Type) -> any SettingsGroup.Type {
    Model.Settings.self
  }
}
