import Core
import Formats
import Foundation
import Runs
import Sweeps
import Testing

@testable import pixelrl

/// Short versions of experiments/checks/sweep and experiments/cluster.
@Suite(.serialized) struct SweepTests {
  private static let settings = """
    settings:
      observe: state
      env-steps: 2680
      replay: 3000
      hidden: 8
      batch: 4
      seed-updates: 5
      updates-per-step: 0.2
      evaluate-every: 60
      evaluation-episodes: 1
      checkpoint-every: 20
    """

  private func write(_ plan: String, in program: Program) throws {
    try writeAtomically(Array((plan + "\n").utf8), to: "\(program.folder)/plan.yaml")
  }

  private func succeed(_ outcome: Program.Outcome) -> String {
    #expect(outcome.code == 0, "\(outcome.error)")
    return outcome.output
  }

  /// The metrics and weights of all runs of a sweep, by name.
  private func results(_ program: Program, _ sweep: String) throws -> [String: [[UInt8]]] {
    let runs = "\(program.folder)/\(sweep)/runs"
    return try Dictionary(
      uniqueKeysWithValues: folderEntries(runs).map { name in
        (name, try ["metrics.jsonl", "agent.safetensors"].map { try readBytes(from: "\(runs)/\(name)/\($0)") })
      })
  }

  /// The settings that a point gets are those of the same flags of `pixelrl train`.
  @Test func aPointHasTheSettingsOfItsFlags() throws {
    try withProgram { program in
      try write(
        "environments: [catch]\nseeds: 3-4\nsettings: {observe: state, hidden: 8}\nvary: {batch: [4, 8]}", in: program)
      _ = succeed(try program("sweep", "plan", "plan.yaml", "--out", "sweep"))
      let flags = ["--env", "catch", "--observe", "state", "--hidden", "8", "--batch", "8", "--seed", "4"]
      let expected = succeed(try program.run(["config", "train"] + flags))
      let planned = try SettingsFile(path: "\(program.folder)/sweep/points/00003.yaml")
      let given = try SettingsFile(parsing: Array(expected.utf8), path: "flags")
      #expect(planned.groups.map(\.title) == given.groups.map(\.title))
      for (a, b) in zip(planned.groups, given.groups) {
        #expect(a.entries.map { "\($0.key)=\($0.text)" } == b.entries.map { "\($0.key)=\($0.text)" })
      }
      _ = succeed(try program("config", "train", "--config", "sweep/points/00003.yaml"))
      // Threads are part of the point, whatever the worker's environment has.
      let sweep = try SweepFolder(path: "\(program.folder)/sweep")
      let read = try TrainingFlags([:], config: sweep.file("points/00003.yaml")).plan()
      #expect(sweep.points[3].hash == ResolvedSettings(read.groups).hash(of: .train))
    }
  }

  @Test func mistakesAreFoundBeforeAPointRuns() throws {
    try withProgram { program in
      try write(
        "environments: [catch]\nseeds: [0]\narms: {a: {autoencoder: shared}}", in: program)
      let plan = try program("sweep", "plan", "plan.yaml", "--out", "sweep")
      #expect(plan.code == 64 && plan.error.contains("there is no autoencoder 'shared': add 'autoencoders:"), "\(plan)")
      try write("environments: [catch]\nseeds: [0]\nsettings: {observe: state}", in: program)
      _ = succeed(try program("sweep", "plan", "plan.yaml", "--out", "sweep"))
      for time in ["4h", "bananas", "1:2:3:4", ""] {
        let emit = try program("sweep", "emit", "slurm", "sweep", "--time", time)
        #expect(emit.code == 64 && emit.error.contains("such as 4:00:00"), "\(emit)")
      }
      for time in ["4:00:00", "90", "1-12", "1-12:00:00", "30:00"] {
        _ = succeed(try program("sweep", "emit", "slurm", "sweep", "--time", time))
      }
    }
  }

  /// An autoencoder is made once, and a failure stops no other point.
  @Test func sharedPointsAreMadeOnceAndFailuresStopNoOthers() throws {
    try withProgram { program in
      try write(
        """
        title: shared
        environments: [catch]
        seeds: 0-1
        settings: {size: 32, time-limit: 80}
        autoencoders:
          small:
            {ae-steps: 2, ae-batch: 2, probe-steps: 2, probe-frames: 300, filters: 4, keypoints: 2, collect-steps: 60,
             seed: 0}
        arms:
          latents:
            {autoencoder: small, env-steps: 900, updates-per-step: 0.1, seed-updates: 1, evaluation-episodes: 1,
             evaluate-every: 200, hidden: 8, batch: 8, replay: 5000}
          wrong: {autoencoder: missing/folder, seeds: [0]}
        """, in: program)
      _ = succeed(try program("sweep", "plan", "plan.yaml", "--out", "sweep"))
      let outcome = try program("sweep", "run", "sweep")
      #expect(outcome.code == 1 && outcome.error.contains("3 points done, 1 failed"), "\(outcome)")
      let runs = try folderEntries("\(program.folder)/sweep/runs")
      #expect(runs.map { $0.prefix(5) } == ["00000", "00001", "00002"])
      let status = succeed(try program("sweep", "status", "sweep"))
      #expect(status.contains("1 failed, 3 done") && status.contains("missing/folder does not exist"), "\(status)")
      let table = succeed(try program("sweep", "table", "sweep"))
      #expect(table.contains("| catch | latents | ") && table.contains("(0 of 1 runs)"))
      // A failed point is not run again, until it is told to.
      let again = try program("sweep", "run", "sweep", "--index", "3")
      #expect(again.code == 64 && again.error.contains("'pixelrl sweep retry sweep' first"), "\(again)")
      #expect(succeed(try program("sweep", "retry", "sweep")).hasSuffix("1 point waits again\n"))
      #expect(succeed(try program("sweep", "status", "sweep")).contains("1 waiting, 3 done"))
      #expect(succeed(try program("sweep", "run", "sweep", "--indices", "0-2")).contains("3 of 3 points are done"))
    }
  }

  @Test func workersAndTheSweepItselfCanBeKilled() throws {
    try withProgram { program in
      try write("environments: [catch]\nseeds: 0-2\n" + Self.settings, in: program)
      for sweep in ["whole", "killed"] { _ = succeed(try program("sweep", "plan", "plan.yaml", "--out", sweep)) }
      _ = succeed(try program("sweep", "run", "whole"))
      var (random, kills, tries) = (Seed(7).stream("kills"), 0, 0)
      var outcome: Program.Outcome
      repeat {
        // The sweep is killed, and with it its worker; or the worker alone.
        let seconds = random.uniform(0.05, 0.6 + 0.3 * Double(tries))
        let isWhole = tries % 2 == 0
        let script = """
          "$0" sweep run killed & sweep=$!; sleep \(seconds)
          \(isWhole ? "kill -9 $sweep" : "kill -9 $(cat /proc/$sweep/task/*/children) 2> /dev/null")
          wait $sweep
          """
        outcome = try program.run(["-c", script, Program.path?.path ?? ""], of: URL(filePath: "/bin/bash"))
        if outcome.code != 0 { kills += 1 }
        tries += 1
      } while outcome.code != 0 && tries < 60
      #expect(outcome.code == 0 && kills > 0, "\(outcome.error)")
      let isTheSame = try results(program, "killed") == results(program, "whole")
      #expect(isTheSame, "after \(kills) kills")
    }
  }

  /// SIGTERM to the sweep interrupts its workers, which write checkpoints.
  @Test func aSignalStopsTheWorkers() throws {
    try withProgram { program in
      try write(
        "environments: [catch]\nseeds: 0-2\nsettings: {observe: state, env-steps: 1000000000, replay: 3000}",
        in: program)
      _ = succeed(try program("sweep", "plan", "plan.yaml", "--out", "sweep"))
      let script = """
        "$0" sweep run sweep & sweep=$!
        while [ ! -s sweep/runs/00000-*/metrics.jsonl ]; do sleep 0.1; done
        "$0" sweep run sweep --index 0; echo "second $?"
        "$0" sweep status sweep | grep running
        kill -TERM $sweep; wait $sweep; echo "first $?"
        """
      let outcome = try program.run(["-c", script, Program.path?.path ?? ""], of: URL(filePath: "/bin/bash"))
      #expect(outcome.output.contains("second 75") && outcome.output.contains("first 75"), "\(outcome)")
      #expect(outcome.output.contains(Host.name) && outcome.error.contains("is in use by process"), "\(outcome)")
      #expect(outcome.error.contains("0 points done, 3 left"), "\(outcome.error)")
      #expect(succeed(try program("sweep", "status", "sweep")).contains("3 waiting"))
    }
  }

  /// What waits for a failed point is not tried again and again, and runs after its retry.
  @Test(arguments: [["--index", "1"], ["--indices", "1", "--jobs", "1"]])
  func aFailedAutoencoderFailsWhatWaitsForIt(_ chosen: [String]) throws {
    try withProgram { program in
      try write(
        "environments: [catch]\nautoencoders: {broken: {dataset: missing/folder}}\narms: {x: {autoencoder: broken}}",
        in: program)
      _ = succeed(try program("sweep", "plan", "plan.yaml", "--out", "sweep"))
      for _ in 0..<2 {
        let outcome = try program.run(["sweep", "run", "sweep"] + chosen)
        #expect([1, 64].contains(outcome.code), "\(outcome)")
        #expect((outcome.output + outcome.error).contains("missing/folder"), "\(outcome)")
      }
      #expect(succeed(try program("sweep", "status", "sweep")).contains("1 waiting, 1 failed"))
      #expect(succeed(try program("sweep", "retry", "sweep")).hasSuffix("1 point waits again\n"))
    }
  }

  /// Two sweeps on the same folder share the work: one waits for the autoencoder that the other makes.
  @Test func twoSweepsShareTheWork() throws {
    try withProgram { program in
      try write(
        """
        environments: [catch]
        seeds: 0-1
        settings: {size: 32, time-limit: 80}
        autoencoders:
          small: {ae-steps: 30, ae-batch: 4, probe-steps: 2, probe-frames: 300, filters: 4, keypoints: 2, seed: 0}
        arms:
          latents:
            {autoencoder: small, env-steps: 3000, updates-per-step: 0.1, seed-updates: 1, evaluation-episodes: 1,
             evaluate-every: 200, hidden: 8, batch: 8, replay: 5000}
        """, in: program)
      _ = succeed(try program("sweep", "plan", "plan.yaml", "--out", "sweep"))
      let script = """
        "$0" sweep run sweep > one & first=$!; "$0" sweep run sweep > two; wait $first
        until "$0" sweep run sweep; do sleep 0.1; done; cat one two
        """
      let outcome = try program.run(["-c", script, Program.path?.path ?? ""], of: URL(filePath: "/bin/bash"))
      // Each point was done by one of them.
      for index in 0...2 {
        let lines = outcome.output.split(separator: "\n").filter { $0.hasPrefix("done     \(index) ") }
        #expect(lines.count == 1, "\(outcome.output)")
      }
      #expect(try folderEntries("\(program.folder)/sweep/runs").count == 3)
    }
  }

  @Test func wrongUsageSaysWhatToType() throws {
    try withProgram { program in
      try write("environments: [katch]", in: program)
      let wrong = try program("sweep", "plan", "plan.yaml", "--out", "sweep")
      #expect(wrong.code == 64 && wrong.error.contains("did you mean 'catch'?") && !exists("\(program.folder)/sweep"))
      try write("environments: [catch]\narms: {x: {hiden: 3, observe: state}}", in: program)
      let setting = try program("sweep", "plan", "plan.yaml", "--out", "sweep")
      #expect(setting.code == 64 && setting.error.contains("did you mean 'hidden'?"), "\(setting.error)")
      #expect(try program("sweep", "status", "nothing").error.contains("'pixelrl sweep plan FILE --out nothing'"))
      try write("environments: [catch]\nsettings: {observe: state}", in: program)
      _ = succeed(try program("sweep", "plan", "plan.yaml", "--out", "sweep"))
      let many = try program("sweep", "run", "sweep", "--jobs", "100000")
      #expect(many.code == 64 && many.error.contains("use --jobs"))
      #expect(try program("sweep", "run", "sweep", "--index", "1").error.contains("has no point 1"))
      // A changed file of settings is noticed.
      try writeAtomically([], to: "\(program.folder)/sweep/points/00000.yaml")
      let changed = try program("sweep", "run", "sweep", "--index", "0")
      #expect(changed.code == 64 && changed.error.contains("has other settings than were planned"), "\(changed.error)")
    }
  }
}
