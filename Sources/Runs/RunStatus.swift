import Core
import Formats

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
    if (try? RunLock.isHeld(Self.lockFile, in: folder())) == true { return .running }
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
  public func lock() throws -> RunLock { try RunLock(Self.lockFile, in: folder()) }

  /// Writes `failure.json`: what went wrong, and after which step.
  public func fail(_ error: any Error, step: Int? = nil) throws {
    try write(["error": .string("\(error)"), "step": step.map { .integer($0) } ?? .null], to: Self.failure)
  }

  /// Notes in `resumes.jsonl` that the run goes on, with what had ended it, and takes `failure.json` away.
  public func noteResume(_ commandLine: [String]) throws {
    let folder = try folder()
    let failure = folder.kind(of: Self.failure) != nil ? try json(Self.failure) : .null
    let resumes = "resumes.jsonl"
    let earlier = folder.kind(of: resumes) != nil ? try folder.bytes(of: resumes, limit: 1 << 24) : []
    let line: JSON = [
      "at": .integer(nanoseconds()), "command_line": .array(commandLine.map { .string($0) }), "after": failure,
    ]
    try folder.write(earlier + Array("\(line)\n".utf8), to: resumes)
    try folder.remove(Self.failure)
  }
}

/// A run that belongs to this process: a lock on a file that the system lets go when the process ends.
public struct RunLock: ~Copyable, Sendable {
  private let descriptor: Int32

  fileprivate init(_ name: String, in folder: Folder) throws {
    let opened = try folder.openFile(name, O_RDWR | O_CREAT)
    do { try Self.take(opened, name, in: folder) } catch {
      close(opened)
      throw error
    }
    descriptor = opened
  }

  /// Takes the lock. A look at the status of a run takes it too, for a moment: hence several tries.
  private static func take(_ descriptor: Int32, _ name: String, in folder: Folder) throws {
    let path = folder.path(of: name)
    for attempt in 1... {
      if flock(descriptor, LOCK_EX | LOCK_NB) == 0 { break }
      guard errno == EWOULDBLOCK || errno == EINTR else { throw systemFailure(path) }
      guard attempt < 10 else {
        let holder = (try? folder.bytes(of: name, limit: 64)).map { String(decoding: $0, as: UTF8.self) } ?? ""
        let process = holder.prefix { $0.isNumber }
        throw WorldError(
          path: path,
          "another process\(process.isEmpty ? "" : ", \(process),") works on this run: wait for it, or stop it first")
      }
      usleep(10_000)
    }
    // The number is for people; the lock itself is the system's. A file with another name elsewhere stays as it is.
    var status = stat()
    guard unsafe fstat(descriptor, &status) == 0 else { throw systemFailure(path) }
    guard status.st_nlink == 1 else { return }
    let text = Array("\(getpid())\n".utf8)
    let written = unsafe text.withUnsafeBytes { unsafe pwrite(descriptor, $0.baseAddress, $0.count, 0) }
    guard written == text.count, ftruncate(descriptor, off_t(text.count)) == 0 else { throw systemFailure(path) }
  }

  deinit { close(descriptor) }

  /// Whether some process has the lock.
  fileprivate static func isHeld(_ name: String, in folder: Folder) throws -> Bool {
    let descriptor = try folder.openFile(name, O_RDONLY)
    defer { close(descriptor) }
    return flock(descriptor, LOCK_SH | LOCK_NB) != 0 && errno == EWOULDBLOCK
  }
}
