import Core

#if canImport(Glibc)
  import Glibc
#else
  import Foundation
#endif

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
    var ends: [Int32] = [-1, -1]
    guard unsafe pipe(&ends) == 0 else { throw systemFailure(arguments[0]) }
    let reading = Descriptor(number: ends[0])
    let writing = Descriptor(number: ends[1])
    for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
    _ = fcntl(reading.number, F_SETFL, O_NONBLOCK)
    let process = try SpawnedProcess(
      arguments, environment: environment,
      files: keepsOutput ? [nil, writing.number, nil] : [nil, STDERR_FILENO, STDERR_FILENO])
    guard let status = process.wait(limit: limit) else {
      process.end()
      throw WorldError(path: arguments[0], "did not end within \(limit) and was killed")
    }
    // What it started may hold the pipe open: only what is there by now is read.
    return Outcome(status: status, output: keepsOutput ? String(decoding: beginning(of: reading), as: UTF8.self) : "")
  }

  private static func beginning(of file: borrowing Descriptor) -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: 1 << 16)
    let count = unsafe bytes.withUnsafeMutableBytes { unsafe read(file.number, $0.baseAddress, $0.count) }
    return Array(bytes.prefix(max(0, count)))
  }
}
