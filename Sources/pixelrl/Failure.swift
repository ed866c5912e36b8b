import ArgumentParser
import Core
import Foundation
import Runs

/// How a failed command ends: one line on standard error, and 64 where something else should be typed, else 1.
struct Failure {
  let message: String
  /// 0 for a request that is answered by its "error", such as `--help`.
  let code: Int32

  init(_ error: any Error) {
    switch error {
    case let error as InputError: (message, code) = (error.description, ExitCode.validationFailure.rawValue)
    case let error as WorldError: (message, code) = (error.description, ExitCode.failure.rawValue)
    case let error as Damage: (message, code) = (error.description, ExitCode.failure.rawValue)
    case let error as Interrupted: (message, code) = (error.description, error.exitCode)
    default: (message, code) = (PixelRL.message(for: error), PixelRL.exitCode(for: error).rawValue)
    }
  }
}

/// Prints the failure and ends the program with its code.
func report(_ failure: Failure) -> Never {
  FileHandle.standardError.write(Data("pixelrl: \(failure.message.printable)\n".utf8))
  exit(failure.code)
}

/// Prints a line on standard output at once, without obeying control characters in it.
///
/// Throws `WorldError` where the line cannot be written, unlike `print`: a full disk must not look like success.
func printLine(_ line: String) throws {
  do { try FileHandle.standardOutput.write(contentsOf: Data((line.printable + "\n").utf8)) } catch {
    throw WorldError(path: "standard output", error.localizedDescription)
  }
}
