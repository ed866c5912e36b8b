import ArgumentParser
import Core
import Runs
import Sweeps

/// How a failed command ends: one line on standard error, and exit code 64 for wrong usage, 75 for an interruption, or
/// 1.
struct Failure {
  /// Empty if the reader of the output has closed it.
  let message: String
  /// 0 for requests such as `--help`, whose answer the parser throws as an error.
  let code: Int32

  init(_ error: any Error) {
    switch error {
    case let error as InputError: (message, code) = (error.description, ExitCode.validationFailure.rawValue)
    case let error as WorldError: (message, code) = (error.description, ExitCode.failure.rawValue)
    case let error as DamagedFile: (message, code) = (error.description, ExitCode.failure.rawValue)
    case is ClosedPipe: (message, code) = ("", ExitCode.failure.rawValue)
    case let error as Interrupted: (message, code) = (error.description, Interrupted.exitCode)
    case let error as PointInUse: (message, code) = (error.description, Interrupted.exitCode)
    case let error as EarlierFailure: (message, code) = (error.description, error.code)
    case let error as WaitsForFailure: (message, code) = (error.description, error.code)
    case let error as SweepUnfinished: (message, code) = (error.description, error.code)
    default: (message, code) = (RootCommand.message(for: error), RootCommand.exitCode(for: error).rawValue)
    }
  }
}

/// Prints the failure and exits with its code.
func report(_ failure: Failure) -> Never {
  if !failure.message.isEmpty { StandardStreams.say("pixelrl: \(failure.message.printable)") }
  RootCommand.exit(withError: ExitCode(failure.code))
}

/// Prints a line on standard output at once, with control characters escaped.
///
/// - Throws: an error if the line cannot be written.
func printLine(_ line: String) throws { try StandardStreams.print(line.printable) }

/// Prints a line about the progress of a run. Ignores write errors, so that a closed output does not end the run; the
/// lines with the results, which are printed later, do not ignore them.
func printProgress(_ line: String) { try? printLine(line) }
