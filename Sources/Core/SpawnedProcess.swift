import Foundation
import Synchronization

/// Another program that runs beside this one, in a process group of its own.
///
/// It begins with no signal blocked or ignored and with no open file but those it is given; Foundation's `Process` hands on
/// what this program has blocked.
public final class SpawnedProcess: Sendable {
  /// Of the process and of its group.
  public let id: pid_t
  /// What `waitpid` gave, once it has ended.
  private let status = Mutex<Int32?>(nil)

  /// Starts a program that is looked up as a shell does.
  ///
  /// - Parameters:
  ///   - words: the program and its arguments.
  ///   - environment: what is added to the environment of this process.
  ///   - files: the descriptors that become its 0, 1, 2 and so on; of its three streams, nil is nothing to read and a
  ///     place where what is written is dropped.
  /// - Throws: `WorldError` where it cannot be started.
  public init(_ words: [String], environment: [String: String] = [:], files: [Int32?] = [nil, nil, nil]) throws {
    let null = Descriptor(number: unsafe open("/dev/null", O_RDWR | O_CLOEXEC))
    let variables = ProcessInfo.processInfo.environment.merging(environment) { $1 }
    let numbered = zip(Int32(0)..., files).map { number, file in (number: number, file: file ?? null.number) }
    id = try startProgram(words, environment: variables, files: numbered)
  }

  deinit { end() }

  /// How it ended, as a shell says it: its exit status, or 128 and the signal. Nil while it runs.
  public var exitStatus: Int32? {
    status.withLock { status in
      var found: Int32 = 0
      if status == nil, unsafe waitpid(id, &found, WNOHANG) == id { status = found }
      return status.map { $0 & 0x7f == 0 ? $0 >> 8 & 0xff : 128 + ($0 & 0x7f) }
    }
  }

  /// Waits until it has ended.
  ///
  /// - Parameter limit: how long; nil: as long as it takes.
  /// - Returns: the exit status as a shell says it; nil where it still runs.
  public func wait(limit: Duration? = nil) -> Int32? {
    let end = limit.map { ContinuousClock.now + $0 }
    while true {
      if let exitStatus { return exitStatus }
      if let end, ContinuousClock.now >= end { return nil }
      usleep(2000)
    }
  }

  /// Kills it and all that it started in its group; nothing happens where it has ended.
  public func end() {
    guard exitStatus == nil else { return }
    _ = kill(-id, SIGKILL)
    _ = wait()
  }
}
