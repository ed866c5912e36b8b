import Core
import Formats
import Testing

@testable import Runs

private struct Goal: SettingsGroup {
  var steps = 5000
  static let title = "training"
  static var fields: [Field<Self>] { [Field("env-steps", \.steps, 1...Int.max, "steps")] }
}

@Suite struct PaceTests {
  @Test func theRemainingTimeUsesTheRecentRate() throws {
    try withFolder { folder in
      let run = try RunDirectory(
        at: "\(folder)/a",
        RunDirectory.Facts(
          command: "train", environment: "catch", member: "sac", seed: 3, commandLine: [], version: "1"),
        settings: [Goal()])
      let began = try run.facts().began
      var pace = Pace()
      func remaining(step: Int, seconds: Int) throws -> Double? {
        try writeAtomically(Array("{\"step\":\(step)}\n".utf8), to: run.file("metrics.jsonl"))
        return pace.remaining(of: RunEntry(run), now: began + seconds * 1_000_000_000)
      }
      #expect(try remaining(step: 1000, seconds: 10) == nil, "the run is not running")
      let lock = try run.lock()
      #expect(try remaining(step: 1000, seconds: 10) == 40, "100 steps per second since it began")
      #expect(try remaining(step: 2000, seconds: 30) == 60, "50 steps per second since the first call")
      #expect(try remaining(step: 3000, seconds: 1000) != nil)
      #expect(try remaining(step: 4000, seconds: 1100) == 100, "old samples do not count")
      withExtendedLifetime(lock) {}
    }
  }

  @Test func aResumedRunHasNoRateAtFirst() throws {
    try withFolder { folder in
      let run = try RunDirectory(
        at: "\(folder)/a",
        RunDirectory.Facts(
          command: "train", environment: "catch", member: "sac", seed: 3, commandLine: [], version: "1"),
        settings: [Goal()])
      let lock = try run.lock()
      try run.noteResume(["pixelrl"])
      try writeAtomically(Array("{\"step\":1000}\n".utf8), to: run.file("metrics.jsonl"))
      var pace = Pace()
      #expect(pace.remaining(of: RunEntry(run)) == nil)
      withExtendedLifetime(lock) {}
    }
  }
}

@Suite struct ProgressLineTests {
  /// Before an episode has ended, there is no return.
  @Test func unknownNumbersAreDashes() {
    var line = ProgressLine("train", total: 100)
    line.note(0, seconds: 0)
    line.note(50, seconds: 10)
    line.metrics.merge(["return": .nan, "loss": 0.25])
    #expect(line.plain == "train 50/100 50% 5/s 0:10 left return - loss 0.25")
    #expect(line.bar(width: 100).hasSuffix(" 50% 5/s 0:10 left  return -  loss 0.25"))
  }
}

@Suite struct BaselineTests {
  @Test func itRoundTrips() throws {
    for baseline in [
      Baseline(returns: [1, -2.5], lengths: [9, 8], returnRange: -3...4), Baseline(returnRange: nil),
      Baseline(returnRange: 0...1000),
    ] { #expect(Baseline(baseline.json) == baseline) }
    #expect(Baseline(returns: [1, -2], lengths: [9, 8], returnRange: nil).mean == -0.5)
    #expect(Baseline(returnRange: nil).mean == nil)
    for damaged in [
      #"[]"#, #"{"random":{"returns":["1"],"lengths":[1]}}"#, #"{"random":{"returns":[1],"lengths":[]}}"#,
    ] {
      #expect(Baseline(try JSON(parsing: damaged)) == nil)
    }
  }

  @Test func theMeaningOfAReturnDependsOnTheEvaluations() throws {
    func meaning(_ steps: Int...) -> String {
      RunProgress.meaning(of: ["evaluations": .array(steps.map { [.integer($0), 1] })])
    }
    #expect(meaning(0, 8000) == "the only evaluation" && meaning(0, 1, 2) == "mean of both evaluations")
    #expect(meaning(0, 1, 2, 3) == "mean of the last three evaluations")
    #expect(meaning(1, 2, 3, 4) == "mean of the last three evaluations")
  }
}
