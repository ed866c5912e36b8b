import Core
import Foundation
import Runs
import Testing

@testable import pixelrl

/// Signals during updates and evaluations: short versions of experiments/checks/durability/signals.py.
@Suite(.serialized) struct SignalTests {
  private static let training = [
    "train", "--env", "catch", "--observe", "state", "--replay", "3000", "--evaluate-every", "0", "--out", "run",
  ]

  /// Starts the program in its folder and calls `body` with its process once `file` of the run exists.
  private func start(
    _ program: Program, _ arguments: [String], environment: [String: String] = [:], until file: String = "lock",
    _ body: (Process) throws -> Void
  ) throws -> (code: Int32, error: String) {
    let process = Process()
    let errors = Pipe()
    let path: URL = try #require(Program.path)
    process.executableURL = path
    process.arguments = arguments
    process.currentDirectoryURL = URL(filePath: program.folder)
    process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
    process.standardOutput = FileHandle.nullDevice
    process.standardError = errors
    try process.run()
    while process.isRunning && !exists("\(program.folder)/run/\(file)") { usleep(2000) }
    try body(process)
    let error = String(decoding: try errors.fileHandleForReading.readToEnd() ?? Data(), as: UTF8.self)
    process.waitUntilExit()
    return (process.terminationReason == .exit ? process.terminationStatus : -process.terminationStatus, error)
  }

  /// The names of the checkpoints so far.
  private func checkpoints(_ program: Program) throws -> [String] {
    let path = "\(program.folder)/run/checkpoints"
    return exists(path) ? try folderEntries(path).filter { $0.wholeMatch(of: #/checkpoint-\d+/#) != nil }.sorted() : []
  }

  /// No handler is installed, and every thread blocks the signals except the one that waits for them.
  @Test func computingThreadsHandleNoSignals() throws {
    try withProgram { program in
      let outcome = try start(
        program, Self.training + ["--env-steps", "1000000000", "--threads", "2"]
      ) { process in
        usleep(200_000)
        let tasks = "/proc/\(process.processIdentifier)/task"
        let signals: UInt64 = [SIGTERM, SIGUSR1, SIGINT, SIGHUP].reduce(0) { $0 | 1 << UInt64($1 - 1) }
        var open = 0
        for task in try FileManager.default.contentsOfDirectory(atPath: tasks) {
          let status = try String(contentsOfFile: "\(tasks)/\(task)/status", encoding: .utf8)
          func mask(_ name: String) -> UInt64? {
            let line = status.split(separator: "\n").first { $0.hasPrefix(name) }
            return line?.split(whereSeparator: \.isWhitespace).last.flatMap { UInt64($0, radix: 16) }
          }
          #expect(try #require(mask("SigCgt:")) & signals == 0)
          if try #require(mask("SigBlk:")) & signals != signals { open += 1 }
        }
        #expect(open <= 1)
        process.terminate()
      }
      #expect(outcome.code == 75, "\(outcome.error)")
    }
  }

  @Test(arguments: [("AVX512_CORE", SIGTERM, 1), ("AVX2", SIGUSR1, 2), ("AVX2", SIGTERM, 1), ("SSE41", SIGINT, 1)])
  func aSignalEndsATrainingWithAHint(_ isa: String, _ signal: Int32, _ threads: Int) throws {
    try withProgram { program in
      for delay: UInt32 in [100_000, 300_000, 500_000] {
        var before: [String] = []
        let outcome = try start(
          program,
          Self.training + ["--env-steps", "1000000000", "--checkpoint-every", "0", "--threads", "\(threads)"],
          environment: ["DNNL_MAX_CPU_ISA": isa]
        ) { process in
          usleep(delay)
          before = try checkpoints(program)
          kill(process.processIdentifier, signal)
        }
        #expect(outcome.code == 75 && outcome.error.contains("resume with: pixelrl train --resume run"), "\(outcome)")
        // The training begins with a checkpoint.
        #expect(try before.isEmpty || checkpoints(program).last != before.last, "the signal leaves another one")
        try FileManager.default.removeItem(atPath: "\(program.folder)/run")
      }
    }
  }

  /// If there is no run to resume, a signal has the system's default action.
  /// A crash must not look like a wish to stop: Swift's runtime sends SIGUSR1 to the other threads while it reports it.
  @Test(.timeLimit(.minutes(2))) func aCrashIsReported() throws {
    try withProgram { program in
      let outcome = try start(
        program, Self.training + ["--env-steps", "1000000000"],
        environment: ["SWIFT_BACKTRACE": "enable=yes,symbolicate=off,color=no"]
      ) { process in
        usleep(200_000)
        kill(process.processIdentifier, SIGILL)
        // An instruction that fails would fail again after the report.
        sleep(10)
        kill(process.processIdentifier, SIGILL)
      }
      #expect(outcome.code == -SIGILL, "\(outcome.error)")
      #expect(outcome.error.contains("Illegal instruction"), "\(outcome.error)")
    }
  }

  @Test(.timeLimit(.minutes(1))) func commandsWithoutARunEndAtOnce() throws {
    try withProgram { program in
      let (input, output) = (Pipe(), Pipe())
      let process = Process()
      process.executableURL = Program.path
      process.arguments = ["serve", "catch"]
      (process.standardInput, process.standardOutput) = (input, output)
      try process.run()
      // After its first line, it waits for requests.
      #expect(!output.fileHandleForReading.availableData.isEmpty)
      process.terminate()
      process.waitUntilExit()
      #expect(process.terminationReason == .uncaughtSignal && process.terminationStatus == SIGTERM)
    }
  }

  /// A signal ends an evaluation at its next step. The resumed run repeats it, with the same metrics as without the
  /// signal.
  @Test func anInterruptedEvaluationIsRepeated() throws {
    try withProgram { program in
      let arguments =
        Self.training + [
          "--env-steps", "2600", "--hidden", "8", "--batch", "4", "--seed-updates", "5", "--updates-per-step", "0.1",
          "--evaluation-episodes", "4000",
        ]
      #expect(try program.run(arguments).code == 0)
      let whole = try readBytes(from: "\(program.folder)/run/metrics.jsonl")
      try FileManager.default.removeItem(atPath: "\(program.folder)/run")
      // The agent is saved right before it is evaluated.
      let outcome = try start(program, arguments, until: "agent.safetensors") { $0.terminate() }
      #expect(outcome.code == 75, "\(outcome.error)")
      #expect(try RunDirectory(existing: "\(program.folder)/run").progress.returned == nil, "no result is recorded")
      #expect(try program("train", "--resume", "run").code == 0)
      let isTheSame = try readBytes(from: "\(program.folder)/run/metrics.jsonl") == whole
      #expect(isTheSame)
    }
  }

  /// An evaluation that no checkpoint repeats is waited for. A signal in that time loses nothing of the training.
  @Test func aSignalDuringTheWaitForAnEvaluationSavesTheTraining() throws {
    try withProgram { program in
      var before: [String] = []
      let outcome = try start(
        program,
        [
          "train", "--env", "catch", "--observe", "state", "--replay", "3000", "--evaluate-every", "60",
          "--evaluation-episodes", "3000", "--checkpoint-every", "0", "--env-steps", "1000000", "--hidden", "8",
          "--batch", "4", "--seed-updates", "5", "--updates-per-step", "0.1", "--out", "run",
        ], until: "agent.safetensors"
      ) { process in
        // The next evaluation is due long before this one ends.
        usleep(150_000)
        before = try checkpoints(program)
        process.terminate()
      }
      #expect(outcome.code == 75, "\(outcome.error)")
      #expect(try !before.isEmpty && checkpoints(program).last != before.last, "\(before)")
    }
  }

  /// With any OpenMP settings of the caller, a thread team has the size that the matrix library expects.
  @Test(.timeLimit(.minutes(2)), arguments: ["OMP_DYNAMIC", "OMP_THREAD_LIMIT"])
  func openMPSettingsCauseNoDeadlock(_ variable: String) throws {
    try withProgram { program in
      let outcome = try start(
        program,
        Self.training + ["--env-steps", "2600", "--seed-updates", "10", "--updates-per-step", "0.1", "--threads", "2"],
        environment: [variable: variable == "OMP_DYNAMIC" ? "true" : "1"]
      ) { _ in }
      #expect(outcome.code == 0, "\(outcome.error)")
    }
  }
}
