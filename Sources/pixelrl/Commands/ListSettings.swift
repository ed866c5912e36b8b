import Agents
import ArgumentParser
import Autoencoders
import Core
import Environments
import Representations
import Training

/// `pixelrl settings`
struct ListSettings: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "settings", abstract: "List every setting with its default.")

  @Flag(help: "print the Markdown tables of the settings page")
  var markdown = false

  /// All groups of settings, including those of each autoencoder and agent.
  static var sections: [SettingsSection] {
    [
      SettingsSection("Environment", EnvironmentChoice.self, EpisodeSettings.self),
      SettingsSection("Collection", PolicyChoice.self, CollectionSettings.self),
      SettingsSection("Autoencoder", AutoencoderChoice.self),
    ] + Autoencoders.all.map { section("Autoencoder `\($0.id)`", $0) } + [
      SettingsSection(
        "Pretraining", SeedChoice<PretrainingSettings>.self, DatasetChoice.self, PretrainingSettings.self),
      SettingsSection("Encoder", EncoderSettings.self),
      SettingsSection("Training", StartingWeights.self, SeedChoice<TrainingSettings>.self, TrainingSettings.self),
      SettingsSection("Machine", MachineSettings.self),
      SettingsSection("Agent", AgentChoice.self),
    ] + Agents.all.map { section("Agent `\($0.id)`", $0) }
  }

  private static func section<Model: Autoencoder>(_ title: String, _ kind: Model.Type) -> SettingsSection {
    SettingsSection(title, Model.Settings.self)
  }

  private static func section<A: Agent>(_ title: String, _ kind: A.Type) -> SettingsSection {
    SettingsSection(title, A.Settings.self)
  }

  func run() throws {
    let texts = Self.sections.map { markdown ? $0.markdown : $0.help }
    try printLine(texts.joined(separator: "\n"))
  }
}
