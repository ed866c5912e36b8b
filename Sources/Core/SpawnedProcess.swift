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
    // Above the numbers that they are given, so that none is closed by another's taking its place.
    let above = Int32(max(files.count, 3))
    let copies = files.map { $0.map { fcntl($0, F_DUPFD_CLOEXEC, above) } }
    defer { for case let copy? in copies { close(copy) } }
    guard !copies.contains(-1) else { throw systemFailure(words[0]) }
    var actions = unsafe posix_spawn_file_actions_t()
    var attributes = posix_spawnattr_t()
    unsafe posix_spawn_file_actions_init(&actions)
    unsafe posix_spawnattr_init(&attributes)
    defer {
      unsafe posix_spawn_file_actions_destroy(&actions)
      unsafe posix_spawnattr_destroy(&attributes)
    }
    for (number, copy) in zip(Int32(0)..., copies) {
      if let copy {
        unsafe posix_spawn_file_actions_adddup2(&actions, copy, number)
      } else {
        unsafe posix_spawn_file_actions_addopen(&actions, number, "/dev/null", number == 0 ? O_RDONLY : O_WRONLY, 0)
      }
    }
    // Another's pipe that was held open there would never end for who reads it.
    for number in Self.openFiles() where number >= files.count {
      unsafe posix_spawn_file_actions_addclose(&actions, number)
    }
    var (none, all) = (sigset_t(), sigset_t())
    unsafe sigemptyset(&none)
    unsafe sigfillset(&all)
    unsafe posix_spawnattr_setsigmask(&attributes, &none)
    unsafe posix_spawnattr_setsigdefault(&attributes, &all)
    let flags = POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF
    unsafe posix_spawnattr_setflags(&attributes, Int16(flags))
    let variables = ProcessInfo.processInfo.environment.merging(environment) { $1 }.map { "\($0)=\($1)" }
    var started: pid_t = 0
    let failure = unsafe withCStrings(words) { words in
      unsafe withCStrings(variables) { variables in
        unsafe posix_spawnp(&started, words[0]!, &actions, &attributes, words, variables)
      }
    }
    guard failure == 0 else { throw WorldError(path: words[0], unsafe String(cString: strerror(failure))) }
    id = started
  }

  deinit { end() }

  private static func openFiles() -> [Int32] {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd")) ?? []
    return names.compactMap { Int32($0) }
  }

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

/// Calls a body with an array of C strings that ends with nil.
private func withCStrings<Result>(
  _ strings: [String], _ body: (UnsafePointer<UnsafeMutablePointer<CChar>?>) -> Result
) -> Result {
  let copies = unsafe strings.map { unsafe strdup($0) } + [nil]
  defer { for index in unsafe copies.indices { unsafe free(copies[index]) } }
  return unsafe copies.withUnsafeBufferPointer { unsafe body($0.baseAddress!) }
}
