import Core
import Formats
import Foundation
import Testing

@testable import Runs

private struct Sample: SettingsGroup {
  var steps = 5000
  static let title = "training"
  static var fields: [Field<Self>] { [Field("env-steps", \.steps, 1...Int.max, "steps")] }
}

/// Makes a run with a name in a folder.
private func makeRun(
  _ folder: String, _ name: String, environment: String = "catch", member: String = "sac", why: String = ""
) throws -> RunDirectory {
  try RunDirectory(
    at: "\(folder)/\(name)",
    RunDirectory.Facts(
      command: "train", environment: environment, member: member, seed: 3, commandLine: ["pixelrl", "train"],
      version: "1", why: why, inputs: [.init(name: "autoencoder", path: "runs/a", fingerprint: 0xab)],
      muJoCo: "3.17.0"),
    settings: [Sample()])
}

/// The status after the lock is free: a child process that another test forks at the same time holds it too, until it
/// calls `exec`.
private func settled(_ run: RunDirectory) -> RunStatus {
  for _ in 0..<1000 where run.status == .running { usleep(2000) }
  return run.status
}

@Suite struct RunStatusTests {
  @Test func theStatusFollowsTheFiles() throws {
    try withFolder { folder in
      let run = try makeRun(folder, "a")
      #expect(settled(run) == .interrupted)
      do {
        let lock = try run.lock()
        #expect(run.status == .running)
        withExtendedLifetime(lock) {}
      }
      #expect(settled(run) == .interrupted)
      try run.fail(WorldError(path: "p", "is full"), step: 7)
      #expect(settled(run) == .failed)
      let failure = try run.json("failure.json")
      #expect(failure == ["error": "p: is full", "step": 7])
      try run.noteResume(["pixelrl", "train", "--resume", "a"])
      #expect(settled(run) == .interrupted)
      try run.noteResume(["pixelrl", "train", "--resume", "a"])
      let lines = try readBytes(from: run.file("resumes.jsonl")).split(separator: UInt8(ascii: "\n"))
      #expect(lines.count == 2)
      #expect(try JSON(parsing: lines[0])["after"]?["step"]?.int == 7)
      try run.finish(["return_mean": 1])
      #expect(settled(run) == .finished)
    }
  }

  @Test func theErrorForASecondProcessNamesTheFirst() throws {
    try withFolder { folder in
      let run = try makeRun(folder, "a")
      // Another process: a shell that holds the lock until its input ends.
      let holder = Process()
      holder.executableURL = URL(fileURLWithPath: "/bin/sh")
      holder.arguments = ["-c", "exec 9<>\"$0\"; flock 9; echo $$ > \"$0\"; echo ready; read wait", run.file("lock")]
      let (input, output) = (Pipe(), Pipe())
      (holder.standardInput, holder.standardOutput) = (input, output)
      try Data().write(to: URL(fileURLWithPath: run.file("lock")))
      try holder.run()
      _ = output.fileHandleForReading.availableData
      #expect(run.status == .running)
      let error = #expect(throws: WorldError.self) { _ = try run.lock() }
      #expect(error?.description.contains("another process, \(holder.processIdentifier), is using this run") == true)
      // The system releases the lock even if the process is killed.
      kill(holder.processIdentifier, SIGKILL)
      holder.waitUntilExit()
      #expect(settled(run) == .interrupted)
      let lock = try run.lock()
      #expect(try String(contentsOfFile: run.file("lock"), encoding: .utf8) == "\(getpid())\n")
      withExtendedLifetime(lock) {}
      try input.fileHandleForWriting.close()
    }
  }

  @Test func theFactsRoundTrip() throws {
    try withFolder { folder in
      let run = try makeRun(folder, "a", why: "a \"reason\"")
      let facts = try run.facts()
      #expect(facts.muJoCo == "3.17.0")
      #expect(facts.why == "a \"reason\"" && facts.inputs.first?.fingerprint == 0xab && facts.began > 0)
      let json = try run.json("run.json")
      #expect(json["threads"]?["count"]?.int ?? 0 > 0)
      #expect(json["libraries"]?["libpng"]?.text?.first == "1" && json["libraries"]?["zlib"]?.text?.first == "1")
    }
  }

  @Test func theGitStateHasCommitAndChanges() throws {
    try withFolder { folder in
      func git(_ arguments: String...) throws -> String {
        let own = ["git", "-C", folder, "-c", "user.name=a", "-c", "user.email=a@b", "-c", "commit.gpgsign=false"]
        let outcome = try ChildProcess.run(own + arguments, limit: .seconds(10))
        #expect(outcome.status == 0, "\(arguments)")
        return outcome.output
      }
      #expect(GitState.of(folder) == nil)
      _ = try git("init", "-q")
      try writeAtomically([1], to: folder + "/a")
      _ = try git("add", "a")
      _ = try git("commit", "-qm", "first")
      let commit = try git("rev-parse", "HEAD").filter { !$0.isWhitespace }
      #expect(GitState.of(folder) == GitState(commit: commit, isDirty: false))
      try writeAtomically([2], to: folder + "/a")
      #expect(GitState.of(folder) == GitState(commit: commit, isDirty: true))
    }
  }
}

@Suite struct ChildProcessTests {
  @Test func outputStatusAndEnvironment() throws {
    let outcome = try ChildProcess.run(
      ["/bin/sh", "-c", "echo $WHO; exit 3"], environment: ["WHO": "me"], limit: .seconds(10))
    #expect(outcome == ChildProcess.Outcome(status: 3, output: "me\n"))
    #expect(try ChildProcess.run(["/bin/sh", "-c", "kill -9 $$"], limit: .seconds(10)).status == 137)
  }

  /// A child process does not inherit the signals that this program blocks or ignores.
  @Test func signalsAreRestored() throws {
    var blocked = sigset_t()
    unsafe sigemptyset(&blocked)
    unsafe sigaddset(&blocked, SIGTERM)
    var before = sigset_t()
    unsafe pthread_sigmask(SIG_BLOCK, &blocked, &before)
    defer { unsafe pthread_sigmask(SIG_SETMASK, &before, nil) }
    let outcome = try ChildProcess.run(["grep", "-E", "^Sig(Blk|Ign)", "/proc/self/status"], limit: .seconds(10))
    let masks = outcome.output.split(separator: "\n").compactMap { line in
      line.split(whereSeparator: \.isWhitespace).last.flatMap { UInt64($0, radix: 16) }
    }
    // Signals from 32 on are reserved for the C library.
    #expect(masks.map { $0 & 0x7fff_ffff } == [0, 0], "\(outcome.output)")
  }

  @Test(.timeLimit(.minutes(1))) func aHangingProcessIsKilledWithItsChildren() throws {
    try withFolder { folder in
      let error = #expect(throws: WorldError.self) {
        try ChildProcess.run(
          ["/bin/sh", "-c", "sleep 100 & echo $! > \(folder)/pid; wait"], keepsOutput: false, limit: .milliseconds(500))
      }
      #expect(error?.description.contains("did not end within") == true)
      let child = try #require(
        Int32(String(contentsOfFile: folder + "/pid", encoding: .utf8).filter { !$0.isWhitespace }))
      // Gone, or a zombie that its new parent has not reaped yet. On a busy machine, killing may take a while.
      func state() -> String { (try? String(contentsOfFile: "/proc/\(child)/stat", encoding: .utf8)) ?? ") Z" }
      func isGone() -> Bool { state().split(separator: ")").last?.hasPrefix(" Z") == true }
      for _ in 0..<1000 where !isGone() { usleep(10_000) }
      #expect(isGone(), "\(state())")
    }
  }
}

@Suite struct RunListTests {
  /// The updates after the axes of smooth latents are computed count too.
  @Test(arguments: [
    ("pretraining:\n  ae-steps: 2500\n  latent-form: smooth\n  axes-steps: 1000\n", 3500),
    ("pretraining:\n  ae-steps: 2500\n  latent-form: each\n  axes-steps: 1000\n", 2500),
    ("pretraining:\n  ae-steps: 2500\n", 2500), ("training:\n  env-steps: 5000\n  updates: 7\n", 5000),
    ("training:\n  dataset: d\n  env-steps: 5000\n  updates: 7\n", 7), ("episode:\n  size: 32\n", nil),
  ])
  func theGoalIsTheRunsLastStep(_ text: String, _ goal: Int?) throws {
    #expect(try SettingsFile(parsing: Array(text.utf8), path: "settings.yaml").length == goal)
  }

  @Test func runsAreFoundFilteredAndSorted() throws {
    try withFolder { folder in
      for (name, value) in [("a", 1.0), ("b", 3), ("deeper/c", 2)] {
        let run = try makeRun(folder, name, environment: name == "b" ? "other" : "catch", why: "why \(name)")
        var log = try MetricsLog(path: run.file("metrics.jsonl"))
        try log.append(step: 1000, ["train/return": 0.25])
        try log.append(step: 2000, ["evaluation/return": value])
        try log.append(step: 3000, ["train/return": 0.5])
      }
      let open = try FileHandle(forWritingTo: URL(fileURLWithPath: folder + "/a/metrics.jsonl"))
      try open.seekToEnd()
      try open.write(contentsOf: Data("{\"step\":4000,\"evalua".utf8))
      try makeFolder(folder + "/no-run")
      try makeFolder(folder + "/broken")
      try writeAtomically(Array("{".utf8), to: folder + "/broken/run.json")
      try RunDirectory(existing: folder + "/b").finish(["return_mean": 9])

      let all = try RunEntry.all(in: folder)
      #expect(all.map(\.run.name) == ["a", "b", "broken", "c"])
      #expect(all.map { $0.damage == nil } == [true, true, false, true])
      #expect(all[0].progress == RunProgress(step: 3000, goal: 5000, returned: 1))
      #expect(all[1].progress.returned == 9 && all[1].status == .finished)
      #expect(all[2].json["status"]?.text == "damaged" && all[2].damage?.contains("broken/run.json") == true)
      #expect(RunEntry.sorted(all, by: .return).map(\.run.name) == ["b", "c", "a", "broken"])
      #expect(RunEntry.sorted(all, by: .began).map(\.run.name) == ["a", "b", "c", "broken"])
      let good = try RunEntry.Condition(parsing: "return >= 2")
      #expect(all.filter(good.holds).map(\.run.name) == ["b", "c"])
      #expect(try all.filter(RunEntry.Condition(parsing: "step<3000").holds).isEmpty)
      #expect(throws: WorldError.self) { try RunEntry.all(in: folder + "/none") }
    }
  }

  @Test(arguments: ["", "return", "return > much", "retrun > 3", "> 3", "name = 3", "return > 1 > 2"])
  func theErrorForAWrongConditionShowsTheFormat(text: String) {
    let error = #expect(throws: InputError.self) { try RunEntry.Condition(parsing: text) }
    #expect(error?.description.hasPrefix("--filter takes 'return > 500'") == true)
  }
}
