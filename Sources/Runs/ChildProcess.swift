import Core
import Foundation

/// Another program, run to its end or to a time limit.
public enum ChildProcess {
  /// How it ended: the exit status, or 128 and the signal; and the beginning of what it wrote to standard output.
  public struct Outcome: Sendable, Hashable {
    public let status: Int32
    public let output: String
  }

  /// Runs a program that is looked up as a shell does, with nothing to read.
  ///
  /// - Parameters:
  ///   - arguments: the program and what it is given.
  ///   - environment: what is added to the environment of this process.
  ///   - keepsOutput: reads standard output, of which only a pipe's worth is waited for; else it goes to standard error.
  ///   - limit: after which it is killed, with all that it started.
  /// - Throws: `WorldError` where it cannot be started, or did not end in time.
  public static func run(
    _ arguments: [String], environment: [String: String] = [:], keepsOutput: Bool = true, limit: Duration
  ) throws -> Outcome {
    let pipe = keepsOutput ? Pipe() : nil
    let silence = Descriptor(number: unsafe open("/dev/null", O_WRONLY | O_CLOEXEC))
    var files: [(number: Int32, file: Int32)] = [(1, STDERR_FILENO)]
    if let pipe { files = [(1, pipe.fileHandleForWriting.fileDescriptor), (2, silence.number)] }
    let process = try startProgram(
      arguments, environment: ProcessInfo.processInfo.environment.merging(environment) { _, new in new }, files: files)
    try pipe?.fileHandleForWriting.close()
    let end = ContinuousClock.now + limit
    var status: Int32 = 0
    while unsafe waitpid(process, &status, WNOHANG) == 0 {
      guard ContinuousClock.now < end else {
        // The group: a shell's children would live on.
        _ = kill(-process, SIGKILL)
        _ = unsafe waitpid(process, &status, 0)
        throw WorldError(path: arguments[0], "did not end within \(limit) and was killed")
      }
      usleep(2000)
    }
    let signal = status & 0x7f
    return Outcome(
      status: signal == 0 ? status >> 8 & 0xff : 128 + signal,
      output: String(decoding: pipe?.fileHandleForReading.availableData ?? Data(), as: UTF8.self))
  }
}
