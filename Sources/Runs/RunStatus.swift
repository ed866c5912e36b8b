import Core

#if canImport(Glibc)
  import Glibc
#else
  import Foundation
#endif

/// Where a run stands.
public enum RunStatus: String, Sendable, CaseIterable {
  /// A process works on it.
  case running
  /// It reached its end: `summary.json` is there.
  case finished
  /// It stopped with an error: `failure.json` says which.
  case failed
  /// It was stopped, or its process died.
  case interrupted
}

extension RunDirectory {
  public var status: RunStatus {
    if RunLock.isHeld(file(Self.lockFile)) { return .running }
    if isFinished { return .finished }
    return exists(file(Self.failure)) ? .failed : .interrupted
  }

  static let lockFile = "lock"

  /// Whether a process has worked on it before.
  public var hasBegun: Bool { exists(file(Self.lockFile)) }

  /// The file that says why a run failed.
  public static let failure = "failure.json"

  /// Takes the run for this process, until the value goes or the process ends, however it ends.
  ///
  /// - Throws: `WorldError` with the path, which names the process that has it.
  public func lock() throws -> RunLock { try RunLock(file(Self.lockFile)) }

  /// Writes `failure.json`: what went wrong, and after which step.
  public func fail(_ error: any Error, step: Int? = nil) throws {
    try write(["error": .string("\(error)"), "step": step.map { .integer($0) } ?? .null], to: Self.failure)
  }

  /// Notes in `resumes.jsonl` that the run goes on, with what had ended it, and takes `failure.json` away.
  public func noteResume(_ commandLine: [String]) throws {
    let failure = exists(file(Self.failure)) ? try json(Self.failure) : .null
    let resumes = file("resumes.jsonl")
    let earlier = exists(resumes) ? try readBytes(from: resumes, limit: 1 << 24) : []
    let line: JSON = [
      "at": .integer(nanoseconds()), "command_line": .array(commandLine.map { .string($0) }), "after": failure,
    ]
    try writeAtomically(earlier + Array("\(line)\n".utf8), to: resumes)
    guard unsafe failure == .null || unlink(file(Self.failure)) == 0 else { throw systemFailure(file(Self.failure)) }
  }
}

/// A run that belongs to this process: a lock on a file that the system lets go when the process ends.
public struct RunLock: ~Copyable, Sendable {
  private let descriptor: Int32

  /// Takes the lock. A look at the status of a run takes it too, for a moment: hence several tries.
  fileprivate init(_ path: String) throws {
    descriptor = unsafe open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o644)
    guard descriptor >= 0 else { throw systemFailure(path) }
    for attempt in 1... {
      if flock(descriptor, LOCK_EX | LOCK_NB) == 0 { break }
      guard errno == EWOULDBLOCK || errno == EINTR else { throw systemFailure(path) }
      guard attempt < 10 else {
        let holder = (try? readBytes(from: path, limit: 64)).map { String(decoding: $0, as: UTF8.self) } ?? ""
        let name = holder.prefix { $0.isNumber }
        throw WorldError(
          path: path,
          "another process\(name.isEmpty ? "" : ", \(name),") works on this run: wait for it, or stop it first")
      }
      usleep(10_000)
    }
    // The number is for people; the lock itself is the system's.
    let text = Array("\(getpid())\n".utf8)
    let written = unsafe text.withUnsafeBytes { unsafe pwrite(descriptor, $0.baseAddress, $0.count, 0) }
    guard written == text.count, ftruncate(descriptor, off_t(text.count)) == 0 else { throw systemFailure(path) }
  }

  deinit { close(descriptor) }

  /// Whether some process has the lock.
  fileprivate static func isHeld(_ path: String) -> Bool {
    let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { return false }
    defer { close(descriptor) }
    return flock(descriptor, LOCK_SH | LOCK_NB) != 0 && errno == EWOULDBLOCK
  }
}
