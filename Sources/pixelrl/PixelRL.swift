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
      Watch.self,
      Compare.self,
      Bench.self,
      ListSettings.self,
      Config.self,
      ListRuns.self,
    ])

  static func main() {
    do {
      try checkCommand(CommandLine.arguments.dropFirst().first)
      var command = try parseAsRoot()
      try command.run()
    } catch {
      let failure = Failure(error)
      if failure.code == 0 { exit(withError: error) }
      report(failure)
    }
  }

  /// The parser names the nearest flag, but not the nearest command.
  private static func checkCommand(_ word: String?) throws {
    guard let word, !word.hasPrefix("-"), word != "help" else { return }
    let known = configuration.subcommands.map { $0._commandName }
    if !known.contains(word) { throw InputError.unknown("command", word, known: known) }
  }
}
