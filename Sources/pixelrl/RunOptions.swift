import ArgumentParser
import Core
import Runs

/// What every command that leaves a run behind takes.
struct RunOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "the folder to write, which must be new or empty (default: one under runs/)", valueName: "folder"))
  var out: String?

  @Option(
    help: ArgumentHelp("settings by group, such as the settings.json of a run; flags win over it", valueName: "file"))
  var config: String?

  @Option(parsing: .unconditional, help: ArgumentHelp("the number that all randomness comes from", valueName: "n"))
  var seed: UInt64 = 0

  @Flag(help: "end with one JSON object on a line of its own")
  var json = false
}

/// Resolves the groups of settings that a command takes: defaults, then the file of `--config`, then flags.
struct SettingsResolver {
  private let file: SettingsFile?

  /// - Parameter titles: of all groups that the command takes.
  init(config: String?, titles: [String]) throws {
    file = try config.map { try SettingsFile(path: $0) }
    try file?.checkTitles(titles)
  }

  /// - Parameter owner: "the agent sac", for the complaint about a setting that only others have.
  func resolve<Group: SettingsGroup, Source>(
    _ title: String, _ type: Group.Type, _ flags: SettingsOptions<Source>, of owner: String
  ) throws -> Group {
    var group = Group()
    try file?.apply(title, to: &group)
    try flags.apply(to: &group, of: owner)
    return group
  }
}

extension RunOptions {
  /// Makes the run's folder and writes what is known at its start.
  func directory(
    _ command: String, environment: String, member: String, settings: [(title: String, group: any SettingsGroup)]
  ) throws -> RunDirectory {
    try RunDirectory(
      at: out,
      RunDirectory.Facts(
        command: command, environment: environment, member: member, seed: seed, commandLine: CommandLine.arguments,
        version: PixelRL.configuration.version), settings: settings)
  }
}
