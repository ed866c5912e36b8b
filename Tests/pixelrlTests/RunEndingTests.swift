import Core
import Foundation
import Runs
import Testing

@testable import pixelrl

@Suite struct RunEndingTests {
  private func withRunFolder(_ body: (RunDirectory, String) throws -> Void) throws {
    let folder = NSTemporaryDirectory() + "/ending-\(UUID().uuidString)"
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    defer { _ = try? FileManager.default.removeItem(atPath: folder) }
    let facts = RunDirectory.Facts(
      command: "train", environment: "catch", member: "sac", seed: 0, commandLine: ["pixelrl"], version: "1")
    let run = try RunDirectory(at: folder + "/run", facts, settings: [])
    var log = try MetricsLog(path: run.file("metrics.jsonl"))
    try log.append(step: 40, ["evaluation/return": 2.5])
    try body(run, folder)
  }

  /// The status once the lock is free. A process that another test forks also holds the lock until it executes its
  /// program.
  private func settled(_ run: RunDirectory) -> RunStatus {
    for _ in 0..<1000 where run.status == .running { usleep(2000) }
    return run.status
  }

  private func options(_ command: String) throws -> RunOptions { try RunOptions.parse(["--notify", command]) }

  private func note(_ folder: String) -> String {
    (try? String(contentsOfFile: folder + "/note", encoding: .utf8)) ?? "no note"
  }

  private let printFacts =
    "printf '%s,%s,%s,%s,%s' $PIXELRL_OUTCOME $PIXELRL_STEP $PIXELRL_RETURN \"$PIXELRL_ERROR\" $PIXELRL_RUN"

  @Test func theWorkIsLockedAndItsEndIsReported() throws {
    try withRunFolder { run, folder in
      let outcome = try withRun(run, options("\(printFacts) > \(folder)/note")) {
        #expect(run.status == .running)
        #expect(throws: WorldError.self) { try withRun(run, options("")) { .null } }
        try run.finish(["return_mean": 3])
        return ["return_mean": 3]
      }
      #expect(outcome["return_mean"]?.int == 3 && settled(run) == .finished && !exists(run.file("failure.json")))
      #expect(note(folder) == "finished,40,3.0,,\(run.path)")
    }
  }

  @Test func aFailureIsRecordedAndRethrown() throws {
    try withRunFolder { run, folder in
      let error = #expect(throws: WorldError.self) {
        try withRun(run, options("\(printFacts) > \(folder)/note; exit 3")) {
          throw WorldError(path: "disk", "is full")
        }
      }
      #expect(error?.description == "disk: is full" && settled(run) == .failed)
      let failure = try run.json("failure.json")
      #expect(failure == ["error": "disk: is full", "step": 40])
      #expect(note(folder) == "failed,40,2.5,disk: is full,\(run.path)")
    }
  }

  @Test func anInterruptionIsNoFailure() throws {
    try withRunFolder { run, folder in
      #expect(throws: Interrupted.self) {
        try withRun(run, options("\(printFacts) > \(folder)/note")) { throw Interrupted(signal: SIGTERM) }
      }
      #expect(settled(run) == .interrupted)
      #expect(note(folder).hasPrefix("interrupted,40,2.5,interrupted by"))
    }
  }
}
