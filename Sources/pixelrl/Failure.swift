import ArgumentParser
import Core
import Runs

/// How a failed command ends: one line on standard error, and 64 where something else should be typed, else 1.
struct Failure {
  /// Empty where nobody is left to read it.
  let message: String
  /// 0 for a request that is answered by its "error", such as `--help`.
  let code: Int32

  init(_ error: any Error) {
    switch error {
    case let error as InputError: (message, code) = (error.description, ExitCode.validationFailure.rawValue)
    case let error as WorldError: (message, code) = (error.description, ExitCode.failure.rawValue)
    case let error as DamagedFile: (message, code) = (error.description, ExitCode.failure.rawValue)
    case is ClosedPipe: (message, code) = ("", ExitCode.failure.rawValue)
    case let error as Interrupted: (message, code) = (error.description, Interrupted.exitCode)
    default: (message, code) = (PixelRL.message(for: error), PixelRL.exitCode(for: error).rawValue)
    }
  }
}

/// Prints the failure and ends the program with its code.
func report(_ failure: Failure) -> Never {
  if !failure.message.isEmpty { StandardStreams.say("pixelrl: \(failure.message.printable)") }
  PixelRL.exit(withError: ExitCode(failure.code))
}

/// Prints a line on standard output at once, without obeying control characters in it. Throws where it cannot be written.
func printLine(_ line: String) throws { try StandardStreams.print(line.printable) }

/// Prints a line that tells of a run's progress. One that cannot be written is dropped: the run is worth more than it, and
/// the result's lines come later.
func printProgress(_ line: String) { try? printLine(line) }
