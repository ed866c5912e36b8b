import ArgumentParser
import Core

/// `pixelrl pretrain-ae`
struct PretrainAE: SettingsCommand {
  static let configuration = CommandConfiguration(
    commandName: "pretrain-ae", abstract: "Train an autoencoder on frames of an environment.")

  static let mainSettings = [
    "env", "size", "kind", "dataset", "collect-steps", "ae-steps", "ae-batch", "ae-learning-rate", "seed", "threads",
  ]
  static let catalogs = [SettingsHelp.Catalog(AutoencoderSource.self, key: "kind", title: "autoencoder")]

  @OptionGroup var options: RunOptions
  @OptionGroup var settings: PretrainingFlags

  var typed: [String: String] { settings.typed }

  func chosenGroups() throws -> [any SettingsGroup] { try settings.plan(only: SettingsHelp.choosing).groups }

  func run() throws { try settings.plan(of: options.namedRun("pretrain-ae")).run(options) }
}
