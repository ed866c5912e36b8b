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
    try requireDescriptors(for: arguments[0])
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = arguments
    process.environment = ProcessInfo.processInfo.environment.merging(environment) { _, new in new }
    process.standardInput = FileHandle.nullDevice
    let pipe = Pipe()
    process.standardOutput = keepsOutput ? pipe : FileHandle.standardError
    if keepsOutput { process.standardError = FileHandle.nullDevice }
    do { try process.run() } catch { throw WorldError(path: arguments[0], error.localizedDescription) }
    let end = ContinuousClock.now + limit
    while process.isRunning && ContinuousClock.now < end { usleep(2000) }
    guard !process.isRunning else {
      // The group too: a shell's children would live on.
      _ = kill(-process.processIdentifier, SIGKILL)
      _ = kill(process.processIdentifier, SIGKILL)
      process.waitUntilExit()
      throw WorldError(path: arguments[0], "did not end within \(limit) and was killed")
    }
    let output = keepsOutput ? pipe.fileHandleForReading.availableData : Data()
    let code = process.terminationStatus
    return Outcome(
      status: process.terminationReason == .uncaughtSignal ? 128 + code : code,
      output: String(decoding: output, as: UTF8.self))
  }

  /// Foundation's `Process` and `Pipe` end the program where they get no descriptor.
  private static func requireDescriptors(for program: String) throws {
    var opened: [Int32] = []
    defer { for descriptor in opened { close(descriptor) } }
    for _ in 0..<16 {
      let descriptor = unsafe open("/dev/null", O_RDONLY | O_CLOEXEC)
      guard descriptor >= 0 else { throw systemFailure(program) }
      opened.append(descriptor)
    }
  }
}
