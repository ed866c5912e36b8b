import ArgumentParser
import Core
import Foundation
import Runs
import Tensors
import Training

@main
struct PixelRL: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "pixelrl", abstract: "Reinforcement learning from pixels.", version: "0.1.0",
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

  static func main() {
    guard Processor.fitsProgram else {
      report(
        Failure(
          WorldError(
            "this program was built for a processor with AVX2, which this one lacks: build it with 'make build CPU=x86-64'"
          )))
    }
    Threads.limitSpinning()
    // Before any thread starts or file opens: a dedicated thread handles signals, and no file gets the descriptor of a
    // standard stream.
    StandardStreams.open()
    Interruption.begin()
    correctTerminalWidth()
    Threads.set(MachineSettings.byDefault.threads)
    do {
      try checkCommand(CommandLine.arguments.dropFirst())
      if let help = try SettingsHelp.asked(by: CommandLine.arguments.dropFirst(), columns: terminalColumns) {
        return try printLine(help)
      }
      var command = try parsed()
      try command.run()
    } catch {
      let failure = Failure(error)
      guard failure.code == 0 else { report(failure) }
      do {
        try printLine(Completion.mended(failure.message) ?? fullMessage(for: error))
      } catch { report(Failure(error)) }
    }
  }

  /// Corrects the terminal's width, to which help is wrapped: some callers set it to 0.
  private static func correctTerminalWidth() {
    let environment = ProcessInfo.processInfo.environment
    if let text = environment["COLUMNS"], (Int(text) ?? 0) < leastWidth { unsafe unsetenv("COLUMNS") }
    var size = winsize()
    let isKnown = unsafe ioctl(STDOUT_FILENO, UInt(TIOCGWINSZ), &size) == 0
    if isKnown, size.ws_col < leastWidth { unsafe setenv("COLUMNS", "80", 1) }
  }

  /// The terminal's width in columns, or 80 if there is no terminal.
  private static var terminalColumns: Int {
    if let text = ProcessInfo.processInfo.environment["COLUMNS"], let columns = Int(text) { return columns }
    var size = winsize()
    return unsafe ioctl(STDOUT_FILENO, UInt(TIOCGWINSZ), &size) == 0 && size.ws_col > 0 ? Int(size.ws_col) : 80
  }

  /// The minimum width in columns at which help is readable.
  private static let leastWidth = 20

  /// Parses the command line. If a flag is another program's name, such as `--lr`, the error suggests ours.
  private static func parsed() throws -> any ParsableCommand {
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
  static func flags(_ words: ArraySlice<String>, of parent: any ParsableCommand.Type = PixelRL.self) -> [String] {
    if let word = words.first,
      let command = parent.configuration.subcommands.first(where: { $0._commandName == word })
    {
      return flags(words.dropFirst(), of: command)
    }
    return helpMessage(for: parent, columns: 1000).split(separator: "\n").flatMap { line in
      line.hasPrefix("  --") ? line.prefix { $0 != "<" }.matches(of: #/--([a-z0-9-]+)/#).map { String($0.1) } : []
    }
  }

  /// Checks the command's name, since the parser suggests similar flags but not similar commands.
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
