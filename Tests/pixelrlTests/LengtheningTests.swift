import Core
import Foundation
import Runs
import Testing

/// `train --resume RUN --env-steps MORE`
@Suite(.serialized) struct LengtheningTests {
  private static let training = [
    "train", "--env", "catch", "--replay", "3000", "--hidden", "8", "--batch", "4", "--seed-updates", "5",
    "--updates-per-step", "0.2", "--evaluate-every", "60", "--evaluation-episodes", "1", "--checkpoint-every", "40",
  ]

  private func files(_ program: Program, _ run: String) throws -> [[UInt8]] {
    try ["metrics.jsonl", "agent.safetensors"].map { try readBytes(from: "\(program.folder)/\(run)/\($0)") }
  }

  /// Both runs are evaluated at the end of the shorter one: their first data has 2,520 steps, and then every 60.
  @Test(arguments: [
    ["--observe", "state"], ["--encoder", "joint", "--size", "16", "--keypoints", "4", "--filters", "8"],
  ])
  func aLengthenedRunIsALongOne(_ observation: [String]) throws {
    try withProgram { program in
      let words = Self.training + observation
      #expect(try program.run(words + ["--out", "long", "--env-steps", "2880"]).code == 0)
      #expect(try program.run(words + ["--out", "grown", "--env-steps", "2700"]).code == 0)
      let grown = try program("train", "--resume", "grown", "--env-steps", "2880")
      #expect(grown.code == 0 && grown.output.contains("resuming from step 2700"), "\(grown)")
      let isTheSame = try files(program, "grown") == files(program, "long")
      #expect(isTheSame)
      let run = try RunDirectory(existing: "\(program.folder)/grown")
      #expect(run.status == .finished && run.progress.goal == 2880)
    }
  }

  @Test func aRunIsNotShortened() throws {
    try withProgram { program in
      let words = Self.training + ["--observe", "state", "--out", "run", "--env-steps", "2680"]
      #expect(try program.run(words).code == 0)
      let shorter = try program("train", "--resume", "run", "--env-steps", "2600")
      #expect(shorter.code == 64 && shorter.error.contains("lengthens it to more steps"), "\(shorter.error)")
      let other = try program("train", "--resume", "run", "--env-steps", "2800", "--hidden", "9")
      #expect(other.code == 64 && other.error.contains("was made with --hidden 8, not 9"))
      #expect(try RunDirectory(existing: "\(program.folder)/run").status == .finished)
    }
  }

  @Test func runsAreSortedAndTheirSettingsCompared() throws {
    try withProgram { program in
      for (name, hidden) in [("a", "8"), ("b", "9")] {
        let words = Self.training + ["--observe", "state", "--out", "runs/\(name)", "--env-steps", "2620"]
        let given = words.map { $0 == "8" ? hidden : $0 }
        #expect(try program.run(given).code == 0)
      }
      let difference = try program("runs", "--diff", "runs/a", "runs/b").output
      #expect(difference.split(separator: "\n").dropFirst().map { $0.split(separator: " ") } == [["hidden", "8", "9"]])
      #expect(try program("runs", "--sort", "return_best", "--paths").output.split(separator: "\n").count == 2)
      let wrong = try program("runs", "--sort", "retrun_best")
      #expect(wrong.code == 64 && wrong.error.contains("did you mean 'return_best'?"), "\(wrong.error)")
    }
  }
}
