import ArgumentParser
import Core
import Environments

/// `pixelrl settings`
struct ListSettings: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "settings", abstract: "List every setting with its default.")

  @Flag(help: "as the Markdown tables of the README")
  var markdown = false

  /// One line for each group of settings.
  static var sections: [SettingsSection] {
    [
      SettingsSection("Environment", EpisodeSettings.self)
    ]
  }

  func run() throws {
    let texts = Self.sections.map { markdown ? $0.markdown : $0.help }
    try printLine(texts.joined(separator: "\n"))
  }
}
