import Core
import Formats
import Foundation
import Runs
import Sweeps

/// Runs points in this process. The files of the sweep say what is done, and record a failure.
struct PointWork {
  let sweep: SweepFolder
  /// The name of this worker; see `PointLock`.
  let worker: String

  /// Makes what a point waits for, unless another worker does so, and then the point. Does nothing if it is done.
  ///
  /// - Throws: `PointInUse` if another worker has it, `Interrupted`, or the error for which it failed, now or earlier.
  func run(_ point: Point) throws {
    guard !sweep.isDone(point) else { return try printLine("point \(point.index) (\(point.title)) is done") }
    if case .failed(let failure) = try sweep.status(of: point) { throw EarlierFailure(point, failure, sweep.path) }
    for need in point.needs {
      guard let needed = try sweep.point(need.index) else { continue }
      try make(needed, for: point)
    }
    let lock = try sweep.lock(point, worker: worker)
    defer { withExtendedLifetime(lock) {} }
    do { try work(point) } catch var interrupted as Interrupted {
      interrupted.remedy = "pixelrl sweep run \(sweep.path) --index \(point.index)"
      throw interrupted
    } catch {
      let failure = Failure(error)
      try sweep.fail(point, PointFailure(reason: failure.message, code: failure.code))
      throw error
    }
  }

  /// Makes a point that another one waits for. If another worker is making it, waits until that ends.
  private func make(_ needed: Point, for point: Point) throws {
    var isAnnounced = false
    while !sweep.isDone(needed) {
      do { return try run(needed) } catch let other as PointInUse where !other.isDoubtful {
        if !isAnnounced { printProgress("point \(point.index) waits: \(other)") }
        isAnnounced = true
        usleep(500_000)
      } catch let failure as EarlierFailure {
        throw WaitsForFailure(point, failure)
      }
      try Interruption.check()
    }
  }

  private func work(_ point: Point) throws {
    // Another worker may have finished it before this one had the lock.
    guard !sweep.isDone(point) else { return }
    var flags: [String: String] = [:]
    for need in point.needs {
      guard let needed = try sweep.point(need.index) else { continue }
      flags[need.key] = sweep.file(needed.run)
    }
    let config = sweep.file(point.settings)
    var options = RunOptions()
    options.output = OutputOptions(out: sweep.file(point.run))
    options.why = "\(sweep.title.isEmpty ? "sweep" : sweep.title): \(point.arm)"
    options.resume = "auto"
    options.notify = nil
    switch point.command {
    case .train:
      let plan = try TrainingFlags(flags, config: config).plan()
      try check(plan, point)
      try plan.run(options)
    case .pretrain:
      let plan = try PretrainingFlags(flags, config: config).plan()
      try check(plan, point)
      try plan.run(options)
    case .collect:
      let plan = try CollectionFlags(flags, config: config).plan()
      try check(plan, point)
      try plan.run(options.output)
    }
  }

  /// Checks that the settings are those that were planned.
  private func check(_ plan: any Plan, _ point: Point) throws {
    let planned = try point.needs.reduce(into: [String: String]()) { $0[$1.key] = try sweep.point($1.index)?.run }
    guard ResolvedSettings(plan.groups).hash(of: point.command, replacing: planned) == point.hash else {
      throw InputError(
        "\(sweep.file(point.settings)) has other settings than were planned, since the file or this program has changed: "
          + "plan the sweep again with 'pixelrl sweep plan \(shellQuoted(sweep.file("plan.yaml"))) --out \(shellQuoted(sweep.path))'"
      )
    }
  }
}

/// A point failed in an earlier call.
struct EarlierFailure: Error, CustomStringConvertible {
  let description: String
  let code: Int32

  init(_ point: Point, _ failure: PointFailure, _ path: String) {
    description =
      "point \(point.index) (\(point.title)) has failed: \(failure.reason); to run it again, type 'pixelrl sweep retry "
      + "\(path)' first"
    code = failure.code == 64 ? 64 : 1
  }
}

/// A point waits for one that failed. It is not a failure of its own: it can run after `sweep retry` of that one.
struct WaitsForFailure: Error, CustomStringConvertible {
  let description: String
  let code: Int32

  init(_ point: Point, _ failure: EarlierFailure) {
    (description, code) = ("point \(point.index) cannot run: \(failure)", failure.code)
  }
}

extension OutputOptions {
  fileprivate init(out path: String) {
    self.init()
    out = path
    json = false
  }
}
