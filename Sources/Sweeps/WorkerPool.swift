import Core
import Formats
import Runs

#if canImport(Glibc)
  import Glibc
#else
  import Foundation
#endif

/// Runs points as child processes of this one, several at a time.
///
/// A child has one point and its own log. A point that fails stops no other. If this process is asked to stop, so are its
/// children, which write checkpoints; if it is killed, they end too.
public struct WorkerPool {
  private let sweep: SweepFolder
  private let jobs: Int
  /// The command of a child, without the index of its point.
  private let words: [String]
  /// The name of the workers; see `PointLock`.
  private let worker: String
  private let say: (String) -> Void

  /// The points by their end.
  public struct Outcome: Sendable {
    public var done: [Point] = []
    public var failed: [(point: Point, failure: PointFailure)] = []
    /// Interrupted, killed, or in use by another worker: they can be run again.
    public var left: [(point: Point, reason: String)] = []
  }

  public init(
    _ sweep: SweepFolder, jobs: Int, words: [String], worker: String = "", say: @escaping (String) -> Void
  ) {
    (self.sweep, self.jobs, self.worker, self.say) = (sweep, jobs, worker, say)
    self.words = words + (worker.isEmpty ? [] : ["--worker", worker])
  }

  private struct Child {
    let point: Point
    let process: SpawnedProcess
  }

  /// Runs the points, and before them those that they wait for.
  ///
  /// - Throws: `WorldError` with the path.
  public func run(_ chosen: [Point]) throws -> Outcome {
    var outcome = Outcome()
    let reader = try StatusReader(sweep)
    var waiting = try withNeeds(chosen)
    var children: [Child] = []
    /// The points that a worker of this call no longer handles.
    var ended: Set<Int> = []
    /// Points that another worker makes and that others wait for, and when to look at them again.
    var later: [Int: ContinuousClock.Instant] = [:]
    while !waiting.isEmpty || !children.isEmpty {
      var ending: [Child] = []
      children.removeAll { child in
        guard child.process.exitStatus != nil else { return false }
        ending.append(child)
        return true
      }
      for child in ending {
        ended.insert(child.point.index)
        try sort(child.point, exit: child.process.exitStatus ?? 0, &outcome, reader)
      }
      if Interruption.isWanted {
        for child in children { child.process.send(SIGTERM) }
        for child in children {
          let status = child.process.wait() ?? 0
          try sort(child.point, exit: status, &outcome, reader)
        }
        outcome.left += waiting.map { ($0, "not started") }
        return outcome
      }
      while children.count < jobs, let place = next(in: waiting, ended, later) {
        let point = waiting.remove(at: place)
        if let (reason, isFinal) = try obstacle(before: point, reader) {
          // A failed need does not mend itself, so that it is no reason to try again.
          if isFinal {
            outcome.failed.append((point, PointFailure(reason: reason, code: 1)))
          } else {
            outcome.left.append((point, reason))
          }
          ended.insert(point.index)
          say("\(isFinal ? "failed  " : "left    ") \(point.index)  \(point.title): \(reason)")
        } else if sweep.isDone(point) {
          outcome.done.append(point)
          ended.insert(point.index)
        } else {
          switch try reader.status(of: point) {
          case .failed(let failure):
            outcome.failed.append((point, failure))
            ended.insert(point.index)
          case .running(let holder) where worker.isEmpty || holder.worker != worker:
            let use = PointInUse(point: point, holder: holder, isDoubtful: holder.host != Host.name, folder: sweep.path)
            if waiting.contains(where: { $0.needs.contains { $0.index == point.index } }) {
              if later[point.index] == nil { say("waiting  \(use)") }
              later[point.index] = .now + .seconds(1)
              waiting.append(point)
            } else {
              outcome.left.append((point, use.description))
              ended.insert(point.index)
              say("left     \(use)")
            }
          case .waiting, .running, .lost, .done: children.append(Child(point: point, process: try start(point)))
          }
        }
      }
      if !children.isEmpty { usleep(2000) } else if !waiting.isEmpty { usleep(50_000) }
    }
    return outcome
  }

  /// The points and those that they wait for, which come first.
  private func withNeeds(_ chosen: [Point]) throws -> [Point] {
    var known: Set<Int> = []
    var all: [Point] = []
    func add(_ point: Point) throws {
      guard known.insert(point.index).inserted else { return }
      for need in point.needs {
        if let needed = try sweep.point(need.index) { try add(needed) }
      }
      all.append(point)
    }
    for point in chosen { try add(point) }
    return all.filter { $0.command != .train } + all.filter { $0.command == .train }
  }

  /// The place of the first point whose needs have ended, and that need not be looked at later.
  private func next(in waiting: [Point], _ ended: Set<Int>, _ later: [Int: ContinuousClock.Instant]) -> Int? {
    waiting.firstIndex { point in
      point.needs.allSatisfy { ended.contains($0.index) } && later[point.index].map { $0 <= .now } ?? true
    }
  }

  /// Why a point cannot start: one that it waits for is not done, and will not be if that failed.
  private func obstacle(before point: Point, _ reader: StatusReader) throws -> (reason: String, isFinal: Bool)? {
    for need in point.needs {
      guard let needed = try sweep.point(need.index), !sweep.isDone(needed) else { continue }
      if case .failed(let failure) = try reader.status(of: needed) {
        return ("its \(need.key), point \(need.index), has failed: \(failure.reason)", true)
      }
      return ("its \(need.key), point \(need.index), is not done", false)
    }
    return nil
  }

  private func start(_ point: Point) throws -> SpawnedProcess {
    let logs = try Folder(path: sweep.file("logs"), followingLink: true)
    let log = Descriptor(number: try logs.openFile("\(point.name).log", O_WRONLY | O_CREAT | O_APPEND))
    return try SpawnedProcess(
      words + ["--index", "\(point.index)", "--parent", "\(getpid())"], files: [nil, log.number, log.number])
  }

  /// Adds a point to the outcome by the files that its worker left.
  private func sort(_ point: Point, exit status: Int32, _ outcome: inout Outcome, _ reader: StatusReader) throws {
    let log = sweep.file("logs/\(point.name).log")
    if sweep.isDone(point) {
      outcome.done.append(point)
      say("done     \(point.index)  \(point.title)")
      return
    }
    if case .failed(let failure) = try reader.status(of: point) {
      outcome.failed.append((point, failure))
      say("failed   \(point.index)  \(point.title): \(failure.reason)")
      return
    }
    // A defect of the program: a trap, an abort, a wrong address or instruction.
    if [SIGILL, SIGTRAP, SIGABRT, SIGBUS, SIGFPE, SIGSEGV].contains(status - 128) {
      let failure = PointFailure(reason: "its process crashed with signal \(status - 128): see \(log)", code: status)
      try sweep.fail(point, failure)
      PointLock.clear(point.name, in: try Folder(path: sweep.file("locks"), followingLink: true))
      outcome.failed.append((point, failure))
      say("failed   \(point.index)  \(point.title): \(failure.reason)")
      return
    }
    let reason =
      status == Interrupted.exitCode
      ? "interrupted"
      : status > 128 ? "its process was ended by signal \(status - 128)" : "exit code \(status), see \(log)"
    outcome.left.append((point, reason))
    say("left     \(point.index)  \(point.title): \(reason)")
  }
}
