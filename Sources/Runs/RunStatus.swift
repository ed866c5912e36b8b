import Core
import Formats

#if canImport(Glibc)
  import Glibc
#else
  import Foundation
#endif

/// The status of a run.
public enum RunStatus: String, Sendable, CaseIterable {
  /// A process works on it.
  case running
  /// It finished: `summary.json` exists.
  case finished
  /// It stopped with an error, which is in `failure.json`.
  case failed
  /// It was interrupted, or its process died.
  case interrupted
}

extension RunDirectory {
  public var status: RunStatus {
    if (try? RunLock.isHeld(Self.lockFile, in: folder())) == true { return .running }
    if isFinished { return .finished }
    return exists(file(Self.failure)) ? .failed : .interrupted
  }

  static let lockFile = "lock"

  /// Whether a process has worked on the run before.
  public var hasBegun: Bool { exists(file(Self.lockFile)) }

  /// The file that says why a run failed.
  public static let failure = "failure.json"

  /// Locks the run for this process, until the returned value is destroyed or the process ends.
  ///
  /// - Throws: `WorldError` with the path, and the process that holds the lock.
  public func lock() throws -> RunLock { try RunLock(Self.lockFile, in: folder()) }

  /// Writes `failure.json`: the error, and the step after which it occurred.
  public func fail(_ error: any Error, step: Int? = nil) throws {
    try write(["error": .string("\(error)"), "step": step.map { .integer($0) } ?? .null], to: Self.failure)
  }

  /// Gives the run other settings, such as more steps, and lets it continue if it has finished.
  ///
  /// If this is interrupted, the run has its earlier settings and continues from its last checkpoint.
  public func lengthen(to groups: [any SettingsGroup]) throws {
    let folder = try folder()
    try folder.remove("summary.json")
    try folder.synchronize()
    try folder.write(Array(SettingsFile.text(of: groups).utf8), to: Self.settings)
  }

  /// Records in `resumes.jsonl` that the run resumes, with the earlier failure if any, and removes `failure.json`.
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

/// The lock of a run: a file lock that the system releases when the process ends.
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

  /// Takes the lock. Tries several times, since reading the status of a run also takes it for a moment.
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
          "another process\(process.isEmpty ? "" : ", \(process),") is using this run: wait for it, or stop it first")
      }
      usleep(10_000)
    }
    // The process number is only for error messages. A file with another hard link is not changed.
    var status = stat()
    guard unsafe fstat(descriptor, &status) == 0 else { throw systemFailure(path) }
    guard status.st_nlink == 1 else { return }
    let text = Array("\(getpid())\n".utf8)
    let written = unsafe text.withUnsafeBytes { unsafe pwrite(descriptor, $0.baseAddress, $0.count, 0) }
    guard written == text.count, ftruncate(descriptor, off_t(text.count)) == 0 else { throw systemFailure(path) }
  }

  deinit { close(descriptor) }

  /// Whether any process holds the lock.
  fileprivate static func isHeld(_ name: String, in folder: Folder) throws -> Bool {
    let descriptor = try folder.openFile(name, O_RDONLY)
    defer { close(descriptor) }
    return flock(descriptor, LOCK_SH | LOCK_NB) != 0 && errno == EWOULDBLOCK
  }
}
