import Foundation
import Runs
import Testing

@testable import pixelrl

/// Standard streams that are closed, full, or a pipe without a reader.
@Suite struct StandardStreamTests {
  private let quickTraining =
    "train --env catch --observe state --env-steps 2520 --hidden 8 --batch 4 --seed-updates 1 --updates-per-step 0.1 "
    + "--replay 3000 --evaluation-episodes 1 --out run"

  /// Runs a line with the program in a shell.
  private func shell(_ program: Program, _ line: String) throws -> Program.Outcome {
    let path = try #require(Program.path?.path)
    return try program.run(["-c", line.replacing("pixelrl", with: "'\(path)'")], of: URL(filePath: "/bin/sh"))
  }

  @Test(arguments: ["2>/dev/full", "2>&-", ">&- 2>&-", "<&- >&- 2>&-", ">/dev/full 2>/dev/full"])
  func anErrorKeepsItsCode(_ redirection: String) throws {
    try withProgram { program in
      let outcome = try shell(program, "pixelrl eval nothing \(redirection)")
      #expect(outcome.code == 64)
    }
  }

  @Test(arguments: ["settings", "--help", "train --help", "--version"])
  func aResultThatCannotBePrintedIsAFailure(_ command: String) throws {
    try withProgram { program in
      for redirection in [">/dev/full", ">&-"] {
        let outcome = try shell(program, "pixelrl \(command) \(redirection)")
        #expect(outcome.code == 1 && outcome.error.contains("standard output"), "\(command) \(redirection)")
      }
    }
  }

  /// A training continues if its messages cannot be written, and no message is written into one of its files.
  @Test func aTrainingContinuesWithoutItsStreams() throws {
    try withProgram { program in
      for (redirection, code) in [("<&- >&- 2>&-", Int32(1)), (">/dev/full 2>/dev/full", 1), ("2>&1 | true", 0)] {
        let outcome = try shell(program, "pixelrl \(quickTraining) \(redirection)")
        #expect(outcome.code == code, "\(redirection): \(outcome.error)")
        let run = try RunDirectory(existing: "\(program.folder)/run")
        while run.status == .running { usleep(2000) }
        #expect(run.isFinished, "\(redirection)")
        let lock = try String(contentsOfFile: run.file("lock"), encoding: .utf8)
        #expect(Int(lock.trimmingCharacters(in: .whitespacesAndNewlines)) != nil, "\(lock)")
        try FileManager.default.removeItem(atPath: run.path)
      }
    }
  }

  @Test(arguments: ["0", "-3", "wide", "7"]) func helpIsReadableAtAnyWidth(_ columns: String) throws {
    try withProgram { program in
      let help = try shell(program, "COLUMNS=\(columns) pixelrl train --help")
      #expect(help.code == 0 && help.output.contains("--learning-rate"))
      #expect(help.output.split(separator: "\n").map(\.count).max() ?? 0 > 40)
    }
  }

  @Test func aFileThatGrowsTooLargeIsNamed() throws {
    try withProgram { program in
      let outcome = try shell(program, "ulimit -f 1; pixelrl collect --env catch --collect-steps 100 --out data")
      #expect(outcome.code == 1 && outcome.error.contains("File too large"), "\(outcome.error)")
    }
  }
}
