import Core
import Formats
import Foundation
import Runs
import Testing

@testable import Sweeps

@Suite struct PointStatusTests {
  private func withSweep(_ body: (SweepFolder, Point) throws -> Void) throws {
    try withFolder { folder in
      let sweep = try plan("environments: [a]", at: "\(folder)/sweep").folder
      try body(sweep, sweep.points[0])
    }
  }

  @Test func aPointHasOneWorker() throws {
    try withSweep { sweep, point in
      #expect(try sweep.status(of: point) == .waiting)
      do {
        let lock = try sweep.lock(point, worker: "")
        #expect(try sweep.status(of: point).name == "running")
        #expect(try sweep.status(of: point).detail.hasPrefix("\(Host.name), since 20"))
        let error = #expect(throws: PointInUse.self) { _ = try sweep.lock(point, worker: "") }
        #expect(error?.description.contains("is in use by process \(getpid()) on \(Host.name)") == true)
        #expect(try !sweep.retry(point), "it runs")
        withExtendedLifetime(lock) {}
      }
      #expect(try sweep.status(of: point) == .waiting)
    }
  }

  private func hold(_ sweep: SweepFolder, _ point: Point, host: String, worker: String = "") throws {
    let holder = Holder(host: host, process: 1, since: 0, worker: worker)
    try writeAtomically(Array("\(holder.json)".utf8), to: sweep.file("locks/\(point.name)"))
  }

  /// A process that was killed leaves its name in the file, but not the system's lock.
  @Test func aKilledWorkerOfThisHostIsReplaced() throws {
    try withSweep { sweep, point in
      try hold(sweep, point, host: Host.name)
      #expect(try sweep.status(of: point).name == "lost")
      _ = try sweep.lock(point, worker: "")
      #expect(try sweep.status(of: point) == .waiting)
      try hold(sweep, point, host: Host.name)
      #expect(try sweep.retry(point) && sweep.status(of: point) == .waiting)
    }
  }

  @Test func aWorkerOfAnotherHostIsReplacedOnlyOnRequest() throws {
    try withSweep { sweep, point in
      try hold(sweep, point, host: "elsewhere", worker: "job-1")
      #expect(try sweep.status(of: point).name == "running")
      for worker in ["", "job-2"] {
        let error = #expect(throws: PointInUse.self) { _ = try sweep.lock(point, worker: worker) }
        #expect(error?.description.contains("'pixelrl sweep retry \(sweep.path) --host elsewhere'") == true)
      }
      #expect(try !sweep.retry(point) && !sweep.retry(point, afterLossOf: "other"))
      _ = try sweep.lock(point, worker: "job-1")
      try hold(sweep, point, host: "elsewhere")
      #expect(try sweep.retry(point, afterLossOf: "elsewhere") && sweep.status(of: point) == .waiting)
    }
  }

  @Test func aFailureIsKeptUntilRetry() throws {
    try withSweep { sweep, point in
      try sweep.fail(point, PointFailure(reason: "no disk", code: 1))
      #expect(try sweep.status(of: point) == .failed(PointFailure(reason: "no disk", code: 1)))
      #expect(try StatusTable(of: sweep).summary == "1 failed")
      #expect(try sweep.retry(point) && sweep.status(of: point) == .waiting)
    }
  }

  @Test(arguments: [(836.4, "836"), (-0.934, "-0.93"), (1e19, "1e+19"), (.nan, "nan")])
  func returnsAreShown(_ value: Double, _ text: String) { #expect(shownReturn(value) == text) }

  @Test func tablesHaveIntervalsAndWhatIsMissing() throws {
    try withFolder { folder in
      let sweep = try plan("environments: [a]\nseeds: 0-2\narms: {'x|y': {}}", at: "\(folder)/sweep").folder
      for (point, score) in zip(sweep.points.prefix(2), [10.0, 30]) {
        try makeFolder(sweep.file(point.run))
        try writeAtomically(Array("{}".utf8), to: sweep.file("\(point.run)/run.json"))
        let summary: JSON = [
          "return_mean": .number(score), "return_best": 40, "env_steps": 12000, "seconds": 90,
          "probe": ["x": 0.75, "x-velocity": 0.1],
        ]
        try writeAtomically(Array("\(summary)".utf8), to: sweep.file("\(point.run)/summary.json"))
      }
      let table = try ResultTable(of: sweep)
      #expect(!table.isComplete)
      let row =
        "| a | x\\|y | 10, 30 (2 of 3 runs) | 20 (10 to 30) | 20 (10 to 30) | 40 | 12,000 | 1.5 | 0.750, 0.750 |"
      #expect(table.markdown.split(separator: "\n").last.map(String.init) == row, "\(table.markdown)")
      #expect(table.csv.split(separator: "\n").last == "a,x|y,1,30.0,40.0,12000,1.5,0.75")
      #expect(table.json["rows"]?.array?[0]["iqm"]?["value"]?.double == 20)
    }
  }
}
