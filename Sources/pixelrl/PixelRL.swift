import ArgumentParser
import Core

@main
struct PixelRL: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "pixelrl", abstract: "Reinforcement learning from pixels.", version: "0.1.0",
    subcommands: [
      Envs.self,
      Render.self,
      Rollout.self,
      Collect.self,
      PretrainAE.self,
      Train.self,
      Evaluate.self,
      Inspect.self,
      MakeReport.self,
      Compare.self,
      Watch.self,
      Export.self,
      Bench.self,
      ListSettings.self,
      Config.self,
      ListRuns.self,
      MeasureEstimators.self,
      Serve.self,
      GymnasiumModule.self,
    ])

  static func main() {
    do {
      try checkCommand(CommandLine.arguments.dropFirst())
      var command = try parseAsRoot()
      try command.run()
    } catch {
      let failure = Failure(error)
      if failure.code == 0 { exit(withError: error) }
      report(failure)
    }
  }

  /// The parser names the nearest flag, but not the nearest command.
  private static func checkCommand(_ words: ArraySlice<String>, of parent: any ParsableCommand.Type = PixelRL.self)
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
