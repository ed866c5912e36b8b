import ArgumentParser
import Formats
import Runs

/// `pixelrl config`
struct Config: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Print all settings of a command as a commented file for --config, with the values of the given flags.",
    subcommands: [ConfigTrain.self, ConfigPretrainAE.self, ConfigCollect.self])
}

/// `pixelrl config train`
struct ConfigTrain: ParsableCommand {
  static let configuration = CommandConfiguration(commandName: "train", abstract: "The settings of 'pixelrl train'.")
  @OptionGroup var settings: TrainingFlags

  func run() throws { try printSettings(of: settings.plan()) }
}

/// `pixelrl config pretrain-ae`
struct ConfigPretrainAE: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "pretrain-ae", abstract: "The settings of 'pixelrl pretrain-ae'.")
  @OptionGroup var settings: PretrainingFlags

  func run() throws { try printSettings(of: settings.plan()) }
}

/// `pixelrl config collect`
struct ConfigCollect: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "collect", abstract: "The settings of 'pixelrl collect'.")
  @OptionGroup var settings: CollectionFlags

  func run() throws { try printSettings(of: settings.plan()) }
}

private func printSettings(of plan: any Plan) throws {
  try printLine(String(SettingsFile.text(of: plan.groups).dropLast()))
}
