import Core
import Foundation
import Runs
import Synchronization
import Testing

@testable import Training

@Suite struct EvaluationBesideTests {
  private struct Broken: Error {}

  /// What is logged during an evaluation follows it in the files, wherever it ends.
  @Test(arguments: [0, 1, 3]) func logsAreInTheOrderOfAWaitingRun(_ behind: Int) throws {
    try withFolder { folder in
      let facts = RunDirectory.Facts(
        command: "train", environment: "catch", member: "dqn", seed: 7, commandLine: ["pixelrl", "train"], version: "1",
        why: "")
      func lines(_ name: String, _ body: (inout TrainingLog) throws -> Void) throws -> [String] {
        let run = try RunDirectory(at: "\(folder)/\(name)", facts, settings: [])
        var log = TrainingLog(try RunLog(in: run))
        try body(&log)
        _ = try log.synchronized()
        return try ["metrics.jsonl", "scores.jsonl"].map { try String(contentsOfFile: run.file($0), encoding: .utf8) }
      }
      func step(_ log: inout TrainingLog, _ i: Int) throws {
        try log.metrics(step: i, ["loss": Double(i)])
        try log.episode(return: Double(i), length: 1, step: i)
      }
      let waiting = try lines("waiting") { log in
        try step(&log, 1)
        try log.release { try $0.evaluation(step: 1, returns: [5], lengths: [1]) }
        for i in 2...5 { try step(&log, i) }
      }
      let beside = try lines("beside") { log in
        try step(&log, 1)
        log.hold()
        for i in 2..<2 + behind { try step(&log, i) }
        try log.release { try $0.evaluation(step: 1, returns: [5], lengths: [1]) }
        for i in 2 + behind..<6 { try step(&log, i) }
      }
      #expect(waiting == beside)
      #expect(waiting[0].split(separator: "\n").count == 6)
    }
  }

  @Test func itGoesOnBesideTheCallerAndGivesItsResult() throws {
    let mayEnd = DispatchSemaphore(value: 0)
    let isCallers = Mutex(false)
    let beside = EvaluationBeside(at: 30) {
      mayEnd.wait()
      isCallers.withLock { $0 = Thread.isMainThread }
      throw Broken()
    }
    #expect(beside.step == 30 && !beside.hasEnded)
    mayEnd.signal()
    #expect(throws: Broken.self) { _ = try beside.wait() }
    #expect(beside.hasEnded && !isCallers.withLock { $0 })
  }
}
