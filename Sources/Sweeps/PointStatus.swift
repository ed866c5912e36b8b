import Core
import Formats
import Runs

/// What the files of a sweep say about a point.
public enum PointStatus: Sendable, Hashable {
  /// No worker has it. Its run may have begun, and is then continued.
  case waiting
  case running(Holder)
  /// Its worker ended without giving it back, for example by `kill -9`. The next worker continues its run.
  case lost(Holder)
  case done
  case failed(PointFailure)

  public var name: String {
    switch self {
    case .waiting: "waiting"
    case .running: "running"
    case .lost: "lost"
    case .done: "done"
    case .failed: "failed"
    }
  }

  /// The names in the order in which a point passes through them.
  public static let names = ["waiting", "running", "lost", "failed", "done"]
}

/// Why a point failed.
public struct PointFailure: Error, Sendable, Hashable {
  public let reason: String
  /// The exit code of its worker: 1 or 64, or 128 plus the number of the signal that ended it.
  public let code: Int32

  public init(reason: String, code: Int32) { (self.reason, self.code) = (reason, code) }

  var json: JSON { ["error": .string(reason), "code": .integer(Int(code)), "at": .integer(nanoseconds())] }

  init?(_ json: JSON) {
    guard let reason = json["error"]?.text, let code = json["code"]?.int.flatMap({ Int32(exactly: $0) }) else {
      return nil
    }
    self.init(reason: reason, code: code)
  }
}

extension SweepFolder {
  /// Reads the status of a point.
  public func status(of point: Point) throws -> PointStatus { try StatusReader(self).status(of: point) }

  public func isDone(_ point: Point) -> Bool { exists(file("\(point.run)/\(point.command.record)")) }

  /// Locks a point for this process until the returned value is destroyed or the process ends.
  ///
  /// - Parameter worker: see `PointLock`.
  /// - Throws: `PointInUse`; `WorldError` with the path.
  public func lock(_ point: Point, worker: String) throws -> PointLock {
    try PointLock(point, in: self, worker: worker)
  }

  /// Records that a point failed. It then waits for `sweep retry`.
  public func fail(_ point: Point, _ failure: PointFailure) throws {
    try writeAtomically(Array("\(failure.json)\n".utf8), to: file("failed/\(point.name).json"))
  }

  /// Lets a failed or lost point wait again.
  ///
  /// - Parameter host: a host that is gone, so that its points are lost although their files say that they run.
  /// - Returns: whether the point was failed or lost.
  public func retry(_ point: Point, afterLossOf host: String? = nil) throws -> Bool {
    switch try status(of: point) {
    case .failed:
      try Folder(path: file("failed"), followingLink: true).remove("\(point.name).json")
      return true
    case .lost: break
    case .running(let holder) where holder.host == host: break
    case .waiting, .running, .done: return false
    }
    // Emptied, not removed: a worker may open it at this moment.
    PointLock.clear(point.name, in: try Folder(path: file("locks"), followingLink: true))
    return true
  }
}

/// Reads the status of many points with the folders opened once.
public struct StatusReader: Sendable {
  private let sweep: SweepFolder
  private let locks: Folder
  private let failed: Folder
  private let runs: Folder

  /// - Throws: `WorldError` with the path of a missing folder.
  public init(_ sweep: SweepFolder) throws {
    func open(_ name: String) throws -> Folder { try Folder(path: sweep.file(name), followingLink: true) }
    (self.sweep, locks, failed, runs) = (sweep, try open("locks"), try open("failed"), try open("runs"))
  }

  public func status(of point: Point) throws -> PointStatus {
    if sweep.isDone(point) { return .done }
    // Before its failure: a failed point is not run again.
    if let (holder, runs) = PointLock.holder(of: point.name, in: locks) {
      return runs ? .running(holder) : .lost(holder)
    }
    let name = "\(point.name).json"
    if failed.kind(of: name) != nil {
      let text = try failed.bytes(of: name, limit: 1 << 20)
      return .failed((try? JSON(parsing: text)).flatMap(PointFailure.init) ?? PointFailure(reason: "unknown", code: 1))
    }
    return .waiting
  }

  /// The progress of a point's run; empty if it has not begun.
  public func progress(of point: Point) -> RunProgress {
    guard runs.kind(of: point.name) == .folder else { return RunProgress(goal: point.steps) }
    var progress = RunDirectory.progress(of: sweep.file(point.run))
    progress.goal = point.steps
    return progress
  }
}
