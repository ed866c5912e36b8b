import Core
import Foundation
import Runs
import Testing

/// Short versions of experiments/checks/durability: the program is stopped from outside.
@Suite(.serialized) struct DurabilityTests {
  private static let training = [
    "train", "--env", "catch", "--observe", "state", "--replay", "3000", "--hidden", "8",
    "--batch", "4", "--seed-updates", "5", "--updates-per-step", "0.2", "--evaluate-every", "60",
    "--evaluation-episodes", "1", "--checkpoint-every", "20", "--keep-checkpoints", "2", "--resume", "auto", "--out",
  ]

  /// Runs the command, if requested under another program such as `timeout`.
  private func train(
    _ program: Program, _ out: String, under words: [String] = [], steps: Int = 2680
  ) throws -> Program.Outcome {
    let path = try #require(Program.path?.path)
    let arguments = Self.training + [out, "--env-steps", "\(steps)"]
    guard let first = words.first else { return try program.run(arguments) }
    return try program.run(Array(words.dropFirst()) + [path] + arguments, of: URL(filePath: first))
  }

  private func metrics(_ program: Program, _ out: String) throws -> [UInt8] {
    try readBytes(from: "\(program.folder)/\(out)/metrics.jsonl")
  }

  @Test(.enabled(if: exists("/usr/bin/timeout"))) func killedRunsEndLikeUninterruptedOnes() throws {
    try withProgram { program in
      #expect(try train(program, "whole").code == 0)
      var (kills, tries, random) = (0, 0, Seed(4).stream("kills"))
      var outcome: Program.Outcome
      repeat {
        // Longer each time, so that the run also finishes on a busy machine.
        let seconds = random.uniform(0.01, 0.3 + 0.3 * Double(tries))
        outcome = try train(program, "killed", under: ["/usr/bin/timeout", "-s", "KILL", "\(seconds)"])
        tries += 1
        if outcome.code != 0 { kills += 1 }
        #expect(outcome.errors.isEmpty, "\(outcome.error)")
      } while outcome.code != 0 && tries < 60
      #expect(outcome.code == 0 && kills > 0)
      let isTheSame = try metrics(program, "killed") == metrics(program, "whole")
      #expect(isTheSame, "after \(kills) kills")
    }
  }

  @Test(.enabled(if: exists("/usr/bin/timeout")), arguments: ["TERM", "USR1", "INT", "HUP"])
  func aSignalLeavesACheckpointAndAHintHowToResume(_ signal: String) throws {
    try withProgram { program in
      // The run is too long to finish. Before its directory exists, the hint is to repeat the command.
      var (seconds, outcome) = (1.0, try interrupted(program, after: 1, signal))
      while !exists("\(program.folder)/run/run.json") && seconds < 60 {
        seconds *= 2
        outcome = try interrupted(program, after: seconds, signal)
      }
      #expect(outcome.code == 75)
      let error = try #require(outcome.errors.last)
      #expect(error.hasSuffix("resume with: pixelrl train --resume run"), "\(error)")
      #expect(try RunDirectory(existing: "\(program.folder)/run").status == .interrupted)
      var again = try interrupted(program, after: seconds, signal)
      while !again.output.contains("resuming from step") && seconds < 60 {
        seconds *= 2
        again = try interrupted(program, after: seconds, signal)
      }
      #expect(again.output.contains("resuming from step"), "\(again.output)\(again.error)")
    }
  }

  private func interrupted(_ program: Program, after seconds: Double, _ signal: String) throws -> Program.Outcome {
    try train(
      program, "run", under: ["/usr/bin/timeout", "--preserve-status", "-k", "5", "-s", signal, "\(seconds)"],
      steps: 1_000_000_000)
  }

  /// What a command was writing under a temporary name is removed. A killed process leaves it.
  @Test(.enabled(if: exists("/usr/bin/timeout")), arguments: [("TERM", 143), ("INT", 130)])
  func aSignalLeavesNothingHalfWritten(_ signal: String, _ code: Int) throws {
    try withProgram { program in
      func leftovers(after seconds: Double, _ signal: String) throws -> (names: [String], code: Int) {
        let path = try #require(Program.path?.path)
        let limit = ["--preserve-status", "-s", signal, "\(seconds)"]
        let outcome = try program.run(
          limit + [path, "render", "catch", "--frames", "10000000", "--out", "frames"],
          of: URL(filePath: "/usr/bin/timeout"))
        return (try folderEntries(program.folder).filter { $0.hasSuffix(".partial") }, Int(outcome.code))
      }
      var seconds = 0.5
      while try leftovers(after: seconds, "KILL").names.isEmpty && seconds < 60 { seconds *= 2 }
      let left = try leftovers(after: 2 * seconds, signal)
      #expect(left.names.isEmpty && left.code == code && !exists("\(program.folder)/frames"), "\(left)")
    }
  }

  @Test func aResumedRunStaysInItsEnvironment() throws {
    try withProgram { program in
      #expect(try train(program, "run").code == 0)
      let other = try program("train", "--resume", "run", "--env", "cartpole-balance")
      #expect(other.code == 64 && other.error.contains("not cartpole-balance: leave the flag out"), "\(other.error)")
    }
  }

  /// One system call fails, as on a disk that is full or defective.
  @Test(.enabled(if: canTrace), arguments: [("write", "ENOSPC"), ("fsync", "EIO"), ("renameat", "ENOSPC")])
  func aFailingDiskCostsNoCheckpoint(_ call: String, _ failure: String) throws {
    try withProgram { program in
      let folder = program.folder
      #expect(try train(program, "whole").code == 0)
      let checkpoints = "\(folder)/whole/checkpoints"
      try FileManager.default.removeItem(atPath: "\(folder)/whole/summary.json")
      try FileManager.default.removeItem(atPath: "\(checkpoints)/\(try folderEntries(checkpoints).last ?? "")")
      let newest = try #require(try folderEntries(checkpoints).last)
      let expected = try metrics(program, "whole")
      var faults = 0
      for number in [3, 9, 12, 15] {
        try FileManager.default.copyItem(atPath: "\(folder)/whole", toPath: "\(folder)/run")
        let inject = "inject=\(call):error=\(failure):when=\(number)"
        let outcome = try train(
          program, "run",
          under: ["/usr/bin/strace", "-f", "-qq", "-o", "\(folder)/log", "-e", "trace=\(call)", "-e", inject])
        let calls = try String(contentsOfFile: "\(folder)/log", encoding: .utf8).split(separator: "\n")
        guard let failed = calls.first(where: { $0.contains("INJECTED") }) else { break }
        defer { try? FileManager.default.removeItem(atPath: "\(folder)/run") }
        // A message that cannot be written does not end the run.
        if failed.contains("write(1,") || failed.contains("write(2,") { continue }
        faults += 1
        #expect(outcome.code == 1 && outcome.errors.last?.contains(": ") == true, "\(outcome.error)")
        #expect(try Checkpoint.newest(in: "\(folder)/run/checkpoints") != nil)
        #expect(try folderEntries("\(folder)/run/checkpoints").contains { $0 >= newest })
        #expect(try train(program, "run").code == 0)
        let isTheSame = try metrics(program, "run") == expected
        #expect(isTheSame, "\(call) \(number)")
      }
      #expect(faults > 0)
    }
  }

  /// Whether strace is installed and permitted.
  private static let canTrace: Bool = {
    guard exists("/usr/bin/strace") else { return false }
    let end = try? ChildProcess.run(["/usr/bin/strace", "-qq", "-o", "/dev/null", "true"], limit: .seconds(5))
    return end?.status == 0
  }()

  /// Resuming a finished run prints its summary and changes nothing.
  @Test func aFinishedRunStaysUnchanged() throws {
    try withProgram { program in
      #expect(try train(program, "run").code == 0)
      let before = try metrics(program, "run")
      let again = try train(program, "run")
      #expect(again.code == 0 && again.output.contains("run has finished already"))
      let other = try program("train", "--resume", "run", "--hidden", "9")
      #expect(other.code == 64 && other.errors.last?.contains("was made with --hidden 8, not 9") == true)
      #expect(try program("pretrain-ae", "--resume", "run").errors.last?.contains("'pixelrl train'") == true)
      let isTheSame = try metrics(program, "run") == before
      #expect(isTheSame)
    }
  }
}
