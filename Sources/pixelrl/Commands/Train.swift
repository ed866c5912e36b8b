import ArgumentParser
import Core

/// `pixelrl train`
struct Train: SettingsCommand {
  static let configuration = CommandConfiguration(
    abstract: "Train an agent on the latents of an encoder, or on the true state: by acting, or from a dataset.")

  static let mainSettings = [
    "env", "agent", "observe", "encoder", "autoencoder", "env-steps", "dataset", "seed", "evaluate-every", "threads",
  ]
  static let catalogs = [
    SettingsHelp.Catalog(AutoencoderSource.self, key: "kind", title: "new encoder", unless: ["encoder", "observe"]),
    SettingsHelp.Catalog(AgentSource.self, key: "agent", title: "agent"),
  ]

  @OptionGroup var options: RunOptions
  @OptionGroup var settings: TrainingFlags

  var typed: [String: String] { settings.typed }

  func chosenGroups() throws -> [any SettingsGroup] { try settings.plan(only: SettingsHelp.choosing).groups }

  func run() throws { try settings.plan(of: options.namedRun("train")).run(options) }
}
