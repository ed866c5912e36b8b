import ArgumentParser
import Core

/// The command `pixelrl` itself, with all its commands.
struct RootCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "pixelrl", abstract: "Reinforcement learning from pixels.", version: PixelRL.version,
    subcommands: [
      Envs.self,
      Render.self,
      Rollout.self,
      Collect.self,
      ImportPictures.self,
      PretrainAE.self,
      Train.self,
      Encode.self,
      Evaluate.self,
      Inspect.self,
      Probe.self,
      MakeReport.self,
      Compare.self,
      Watch.self,
      Export.self,
      Bench.self,
      ListSettings.self,
      Config.self,
      ListRuns.self,
      Sweep.self,
      MeasureEstimators.self,
      Serve.self,
      GymnasiumModule.self,
    ])

  /// Parses the command line. If a flag is another program's name, such as `--lr`, the error suggests ours.
  static func parsed() throws -> any ParsableCommand {
    do { return try parseAsRoot() } catch {
      let words = message(for: error).split(separator: "'", maxSplits: 2)
      guard words.count > 1, words[0] == "Unknown option ", words[1].hasPrefix("--"),
        let ours = InputError.alias(
          String(words[1].dropFirst(2)), among: flags(CommandLine.arguments.dropFirst()))
      else { throw error }
      throw InputError("Unknown option '\(words[1])'. Did you mean '--\(ours)'?")
    }
  }

  /// Returns the flags of the command that the words name, without their dashes.
  static func flags(_ words: ArraySlice<String>, of parent: any ParsableCommand.Type = RootCommand.self) -> [String] {
    if let word = words.first,
      let command = parent.configuration.subcommands.first(where: { $0._commandName == word })
    {
      return flags(words.dropFirst(), of: command)
    }
    return helpMessage(for: parent, columns: 1000).split(separator: "\n").flatMap { line in
      // `  --out <dir>  the folder to write`, `  --video/--no-video  …`
      let names = line.firstMatch(of: #/^  (--.*?)(  | <|$)/#)?.1 ?? ""
      return names.matches(of: #/--([a-z0-9-]+)/#).map { String($0.1) }
    }
  }

  /// Checks that no setting of an added member has the name of another flag.
  static func checkFlags() throws(InputError) {
    for command in [Train._commandName, PretrainAE._commandName] {
      var known: Set<String> = []
      for flag in flags([command]) where !known.insert(flag).inserted {
        throw InputError("'pixelrl \(command)' has a flag '--\(flag)' already: give this setting another name")
      }
    }
  }

  /// Checks the command's name, since the parser suggests similar flags but not similar commands.
  static func checkCommand(_ words: ArraySlice<String>, of parent: any ParsableCommand.Type = RootCommand.self)
    throws
  {
    let commands = parent.configuration.subcommands
    guard let word = words.first, !word.hasPrefix("-"), word != "help", !commands.isEmpty else { return }
    guard let command = commands.first(where: { $0._commandName == word }) else {
      throw InputError.unknown("command", word, known: commands.map { $0._commandName })
    }
    try checkCommand(words.dropFirst(), of: command)
  }
}
