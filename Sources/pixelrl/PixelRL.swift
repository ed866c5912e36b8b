import Agents
import Autoencoders
import Core
import Environments
import Foundation
import Representations
import Runs
import Tensors
import Training

/// The program `pixelrl`, also for packages that add members of their own:
///
/// ```swift
/// @main struct Lab {
///   static func main() { PixelRL.main(adding: .environment(Corridor.self), .agent(DQN.self)) }
/// }
/// ```
public enum PixelRL {
  /// The version of the program and of its modules.
  public static let version = "0.1.0"

  /// What another package can add.
  public enum Member: Sendable {
    case environment(any BuiltInEnvironment.Type)
    case agent(any Agent.Type)
    case autoencoder(any Autoencoder.Type)
    case place(Place)

    fileprivate func add() throws(InputError) {
      switch self {
      case .environment(let environment): try Environments.catalog.add(environment)
      case .agent(let agent): try Agents.catalog.add(agent)
      case .autoencoder(let autoencoder): try Autoencoders.catalog.add(autoencoder)
      case .place(let place): try Places.catalog.add(place)
      }
    }
  }

  /// Runs the command line of this process, and ends the process if that fails.
  ///
  /// - Parameter members: what the program adds to the members of this package. Their names must be new.
  public static func main(adding members: Member...) {
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
      for member in members { try member.add() }
      if !members.isEmpty { try RootCommand.checkFlags() }
      try RootCommand.checkCommand(CommandLine.arguments.dropFirst())
      if let help = try SettingsHelp.asked(by: CommandLine.arguments.dropFirst(), columns: terminalColumns) {
        return try printLine(help)
      }
      var command = try RootCommand.parsed()
      try command.run()
    } catch {
      UnfinishedPaths.waitIfDeleted()
      let failure = Failure(error)
      guard failure.code == 0 else { report(failure) }
      do {
        try printLine(Completion.mended(failure.message) ?? RootCommand.fullMessage(for: error))
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
}
