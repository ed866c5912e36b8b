import Core
import Formats
import Reports
import Runs

#if canImport(Glibc)
  import Glibc
#else
  import Foundation
#endif

/// The worker of a point, as its lock file records it.
public struct Holder: Sendable, Hashable {
  public let host: String
  public let process: Int
  /// Nanoseconds since 1970.
  public let since: Int
  /// The name that the worker was given with `--worker`; empty if it was given none.
  public let worker: String

  static func current(_ worker: String) -> Holder {
    Holder(host: Host.name, process: Int(getpid()), since: nanoseconds(), worker: worker)
  }

  var json: JSON {
    ["host": .string(host), "process": .integer(process), "since": .integer(since), "worker": .string(worker)]
  }

  init(host: String, process: Int, since: Int, worker: String) {
    (self.host, self.process, self.since, self.worker) = (host, process, since, worker)
  }

  /// Nil if the text is not that of a lock file, for example if it is empty: no worker holds the point.
  init?(parsing bytes: [UInt8]) {
    guard let json = try? JSON(parsing: bytes), let host = json["host"]?.text, let process = json["process"]?.int,
      let since = json["since"]?.int
    else { return nil }
    self.init(host: host, process: process, since: since, worker: json["worker"]?.text ?? "")
  }
}

/// Another worker has a point.
public struct PointInUse: Error, CustomStringConvertible, Sendable {
  public let point: Point
  public let holder: Holder?
  /// Whether the worker may have ended: it ran on another host, whose processes are not seen from here.
  public let isDoubtful: Bool
  let folder: String

  public var description: String {
    let who = holder.map { "process \($0.process) on \($0.host) since \(date(nanoseconds: $0.since)) UTC" }
    let remedy =
      isDoubtful
      ? "; if \(holder?.host ?? "that host") is gone, type 'pixelrl sweep retry \(folder) --host \(holder?.host ?? "")'"
      : ""
    return "point \(point.index) (\(point.title)) is in use by \(who ?? "another process")\(remedy)"
  }
}

/// The lock of a point: a file that names its worker, and that the worker keeps locked.
///
/// On one host, the system's file lock says whether the worker still runs, also after `kill -9`. A file system that does
/// not share file locks between hosts still shows the name of the host; then only `sweep retry --host`, or a worker with
/// the same name as before, takes the point over.
public struct PointLock: ~Copyable {
  private let descriptor: Int32

  /// - Parameter worker: the name of this worker. The engine that gives it starts no other worker of this name while it
  ///   runs.
  /// - Throws: `PointInUse`; `WorldError` with the path.
  init(_ point: Point, in sweep: SweepFolder, worker: String = "") throws {
    let folder = try Folder(path: sweep.file("locks"), followingLink: true)
    let opened = try folder.openFile(point.name, O_RDWR | O_CREAT)
    do { try Self.take(opened, point, in: sweep, folder, worker) } catch {
      close(opened)
      throw error
    }
    descriptor = opened
  }

  private static func take(
    _ descriptor: Int32, _ point: Point, in sweep: SweepFolder, _ folder: Folder, _ worker: String
  ) throws {
    func holder() throws -> Holder? { Holder(parsing: try folder.bytes(of: point.name, limit: 1 << 12)) }
    // Reading a status also locks the file for a moment.
    for attempt in 1... {
      if flock(descriptor, LOCK_EX | LOCK_NB) == 0 { break }
      guard errno == EWOULDBLOCK || errno == EINTR else { throw systemFailure(folder.path(of: point.name)) }
      guard attempt < 10 else {
        throw PointInUse(point: point, holder: try holder(), isDoubtful: false, folder: sweep.path)
      }
      usleep(10_000)
    }
    if let other = try holder(), other.host != Host.name, worker.isEmpty || other.worker != worker {
      throw PointInUse(point: point, holder: other, isDoubtful: true, folder: sweep.path)
    }
    let text = Array("\(Holder.current(worker).json)\n".utf8)
    guard ftruncate(descriptor, 0) == 0 else { throw systemFailure(folder.path(of: point.name)) }
    let written = unsafe text.withUnsafeBytes { unsafe pwrite(descriptor, $0.baseAddress, $0.count, 0) }
    guard written == text.count else { throw systemFailure(folder.path(of: point.name)) }
  }

  /// Gives the point back. The empty file says that its worker has ended on its own.
  deinit {
    _ = ftruncate(descriptor, 0)
    close(descriptor)
  }

  /// Empties a lock file.
  static func clear(_ name: String, in folder: Folder) {
    guard let descriptor = try? folder.openFile(name, O_RDWR) else { return }
    _ = ftruncate(descriptor, 0)
    close(descriptor)
  }

  /// The worker that a lock file names, and whether it runs as far as this host knows; nil if there is none.
  static func holder(of name: String, in folder: Folder) -> (holder: Holder, runs: Bool)? {
    guard let bytes = try? folder.bytes(of: name, limit: 1 << 12), let holder = Holder(parsing: bytes) else {
      return nil
    }
    guard holder.host == Host.name, let descriptor = try? folder.openFile(name, O_RDONLY) else { return (holder, true) }
    defer { close(descriptor) }
    return (holder, flock(descriptor, LOCK_SH | LOCK_NB) != 0)
  }
}
