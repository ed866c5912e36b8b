import CLinux
import Foundation
import Synchronization

/// The user's Python: `PIXELRL_PYTHON` if set, else the one in `.venv` if it exists, else `python3`.
public var pythonProgram: String {
  if let named = ProcessInfo.processInfo.environment["PIXELRL_PYTHON"], !named.isEmpty { return named }
  return FileManager.default.isExecutableFile(atPath: ".venv/bin/python") ? ".venv/bin/python" : "python3"
}

/// Has this process receive a signal when the process that started it ends, also if that is killed.
///
/// - Parameter parent: the ID of the process that started it. If it has ended already, the signal arrives at once.
public func receive(_ signal: Int32, atEndOf parent: pid_t) {
  _ = linux_signal_at_end_of_parent(signal)
  if getppid() != parent { _ = kill(getpid(), signal) }
}

/// A child process in its own process group.
///
/// It starts with no signal blocked or ignored, and only the given files are open. With Foundation's `Process`, a child
/// inherits this process's blocked signals.
public final class SpawnedProcess: Sendable {
  /// The ID of the process and of its process group.
  public let id: pid_t
  /// The status from `waitpid`; nil while the process runs.
  private let status = Mutex<Int32?>(nil)

  /// Starts a program, which is searched for in `PATH`.
  ///
  /// - Parameters:
  ///   - words: the program and its arguments.
  ///   - environment: variables added to the environment of this process.
  ///   - files: the descriptors that become 0, 1, 2 and so on in the child. Nil is `/dev/null`.
  /// - Throws: `WorldError` if it cannot be started.
  public init(_ words: [String], environment: [String: String] = [:], files: [Int32?] = [nil, nil, nil]) throws {
    let null = Descriptor(number: unsafe open("/dev/null", O_RDWR | O_CLOEXEC))
    let variables = ProcessInfo.processInfo.environment.merging(environment) { $1 }
    let numbered = zip(Int32(0)..., files).map { number, file in (number: number, file: file ?? null.number) }
    id = try startProgram(words, environment: variables, files: numbered)
  }

  deinit { end() }

  /// The exit status as a shell reports it: the exit code, or 128 plus the signal. Nil while it runs.
  public var exitStatus: Int32? {
    status.withLock { status in
      var found: Int32 = 0
      if status == nil, unsafe waitpid(id, &found, WNOHANG) == id { status = found }
      return status.map { $0 & 0x7f == 0 ? $0 >> 8 & 0xff : 128 + ($0 & 0x7f) }
    }
  }

  /// Waits until the process exits.
  ///
  /// - Parameter limit: the maximum time to wait; nil for no limit.
  /// - Returns: the exit status as a shell reports it; nil if it still runs.
  public func wait(limit: Duration? = nil) -> Int32? {
    let end = limit.map { ContinuousClock.now + $0 }
    while true {
      if let exitStatus { return exitStatus }
      if let end, ContinuousClock.now >= end { return nil }
      usleep(2000)
    }
  }

  /// Sends a signal to the process. Does nothing if the process has exited.
  public func send(_ signal: Int32) {
    if exitStatus == nil { _ = kill(id, signal) }
  }

  /// Kills the process and its process group. Does nothing if the process has exited.
  public func end() {
    guard exitStatus == nil else { return }
    _ = kill(-id, SIGKILL)
    _ = wait()
  }
}
