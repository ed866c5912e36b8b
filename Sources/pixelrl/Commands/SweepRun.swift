import ArgumentParser
import Core
import Foundation
import Runs
import Sweeps

/// `pixelrl sweep run`
struct RunSweep: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "run", abstract: "Run points of a sweep, and continue those that were interrupted.",
    discussion: """
      With --index, this process runs one point, as a task of a cluster does. Otherwise it starts a process for each \
      point, --jobs at a time. Points that are done, or that another worker has, are left out. Exit codes: 0 done, 75 \
      interrupted or in use (run it again), 1 failed, 64 wrong settings.
      """)

  @OptionGroup var sweep: SweepArgument

  @Option(parsing: .unconditional, help: ArgumentHelp("the point to run", valueName: "n"))
  var index: Int?

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp("the points to run, such as 0-49 or 0-4,7 (default: all)", valueName: "ranges"))
  var indices: String?

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp("processes at the same time; 0: as many as the CPU cores can take", valueName: "n"))
  var jobs = 1

  @Option(
    help: ArgumentHelp(
      "the name of this worker: a later worker of this name takes its points over, also on another host",
      valueName: "name"))
  var worker = ""

  @Option(parsing: .unconditional, help: .hidden)
  var parent: Int32?

  func run() throws {
    Interruption.listen()
    if let parent { receive(SIGTERM, atEndOf: parent) }
    let sweep = try SweepFolder(path: sweep.path)
    if let index {
      guard indices == nil else { throw InputError("give --index or --indices, not both") }
      guard let point = try sweep.point(index) else {
        return try printLine("point \(index) is no longer in the plan: there is nothing to do")
      }
      return try PointWork(sweep: sweep, worker: worker).run(point)
    }
    let selection = try indices.map { try IndexSelection(parsing: $0) }
    let points = sweep.points.filter { selection?.contains($0.index) ?? true }
    let waiting = points.filter { !sweep.isDone($0) }
    let done = points.count - waiting.count
    if done > 0 {
      try printLine("\(done) of \(counted(points.count, "point")) \(points.count == 1 ? "is" : "are") done")
    }
    let words = [try programPath(), "sweep", "run", sweep.path]
    let pool = WorkerPool(sweep, jobs: try jobs(for: waiting), words: words, worker: worker, say: printProgress)
    let outcome = try pool.run(waiting)
    guard outcome.failed.isEmpty, outcome.left.isEmpty else { throw SweepUnfinished(outcome, sweep) }
    try printLine("done, \(counted(points.count, "point")): pixelrl sweep table \(shellQuoted(sweep.path))")
  }

  /// The number of processes, whose threads fit the CPU cores.
  private func jobs(for points: [Point]) throws -> Int {
    let cores = Host.availableCores
    let threads = points.map { $0.threads == 0 ? cores : $0.threads }.max() ?? 1
    let most = max(1, cores / threads)
    guard jobs >= 0, jobs <= most || jobs == 1 else {
      throw InputError(
        "--jobs \(jobs) with \(counted(threads, "thread")) each needs more than the \(cores) CPU "
          + "cores here: use --jobs \(most)")
    }
    return jobs == 0 ? most : jobs
  }
}

/// The path of this program.
func programPath() throws -> String { try absolutePath("/proc/self/exe") }

/// Some points of a sweep are not done.
struct SweepUnfinished: Error, CustomStringConvertible {
  let description: String
  let code: Int32

  init(_ outcome: WorkerPool.Outcome, _ sweep: SweepFolder) {
    var parts = ["\(counted(outcome.done.count, "point")) done"]
    if !outcome.failed.isEmpty {
      parts.append(
        "\(outcome.failed.count) failed ('pixelrl sweep retry \(shellQuoted(sweep.path))' lets them run again)")
    }
    if !outcome.left.isEmpty {
      parts.append("\(outcome.left.count) left: 'pixelrl sweep run \(shellQuoted(sweep.path))' continues")
    }
    description = parts.joined(separator: ", ")
    code = outcome.left.isEmpty ? 1 : Interrupted.exitCode
  }
}
