import Core

#if canImport(Glibc)
  import Glibc
#else
  import Foundation
#endif

/// Runs another program until it ends or a time limit is reached.
public enum ChildProcess {
  /// The exit status, or 128 plus the signal, and the beginning of its standard output.
  public struct Outcome: Sendable, Hashable {
    public let status: Int32
    public let output: String
  }

  /// Runs a program, which is looked up in `PATH`, with an empty standard input.
  ///
  /// - Parameters:
  ///   - arguments: The program and its arguments.
  ///   - environment: Variables added to the environment of this process.
  ///   - keepsOutput: Whether to return standard output, up to the size of a pipe's buffer. Otherwise it goes to
  ///     standard error.
  ///   - limit: The time after which it is killed, with all processes that it started.
  /// - Throws: `WorldError` if it cannot be started, or does not end in time.
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
    // Processes that it started may keep the pipe open: read only what is there now.
    return Outcome(status: status, output: keepsOutput ? String(decoding: beginning(of: reading), as: UTF8.self) : "")
  }

  private static func beginning(of file: borrowing Descriptor) -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: 1 << 16)
    let count = unsafe bytes.withUnsafeMutableBytes { unsafe read(file.number, $0.baseAddress, $0.count) }
    return Array(bytes.prefix(max(0, count)))
  }
}
