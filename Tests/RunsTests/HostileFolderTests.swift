import Core
import Foundation
import Testing

@testable import Runs

#if canImport(Glibc)
  import Glibc
#endif

/// A run directory that contains links, pipes and files with other hard links: nothing outside of it is changed.
@Suite struct HostileFolderTests {
  /// - Parameter body: Called with a run, and a file of three bytes outside of it.
  private func withRun(_ body: (RunDirectory, _ outside: String) throws -> Void) throws {
    try withFolder { folder in
      let outside = folder + "/outside"
      try makeFolder(outside)
      for name in ["file", "other"] { try writeAtomically([1, 2, 3], to: "\(outside)/\(name)") }
      let facts = RunDirectory.Facts(
        command: "train", environment: "catch", member: "m", seed: 1, commandLine: ["pixelrl"], version: "test")
      let run = try RunDirectory(at: "\(folder)/run", facts, settings: [])
      try body(run, outside + "/file")
      #expect(try folderEntries(outside) == ["file", "other"])
      for name in ["file", "other"] { #expect(try readBytes(from: "\(outside)/\(name)") == [1, 2, 3]) }
    }
  }

  private func link(_ target: String, _ path: String) { #expect(unsafe symlink(target, path) == 0) }

  @Test(arguments: [
    "metrics.jsonl", "monitor.csv", "scores.jsonl", "lock", "evaluations.npz", "failure.json", "summary.json",
  ])
  func aLinkIsNeverFollowed(_ name: String) throws {
    try withRun { run, outside in
      link(outside, run.file(name))
      // Each of these may throw; none may follow the link.
      _ = try? MetricsLog(path: run.file("metrics.jsonl"))
      _ = try? EpisodeLog(in: run, keeping: nil)
      _ = try? EpisodeLog(in: run, keeping: EpisodeLog.Position(monitor: 1, scores: 1, start: 0))
      _ = try? run.lock()
      var evaluations = try? EvaluationLog(in: run, keeping: 0)
      try? evaluations?.append(step: 1, returns: [1], lengths: [1])
      try run.fail(WorldError("x"))
      try run.finish(.null)
      _ = try? run.noteResume(["pixelrl"])
      _ = (run.status, run.progress)
    }
  }

  @Test func aLogThatIsALinkIsAnError() throws {
    try withRun { run, outside in
      link(outside, run.file("metrics.jsonl"))
      let error = #expect(throws: WorldError.self) { _ = try MetricsLog(path: run.file("metrics.jsonl")) }
      #expect(error?.description.contains("metrics.jsonl: is a link") == true)
    }
  }

  /// Such as in a copy made with `cp -al`.
  @Test func aFileWithAnotherHardLinkIsCopiedFirst() throws {
    try withRun { run, outside in
      for name in ["metrics.jsonl", "lock"] { #expect(unsafe Glibc.link(outside, run.file(name)) == 0) }
      var log = try MetricsLog(path: run.file("metrics.jsonl"), offset: 2)
      try log.append(step: 1, ["a": 1])
      let lock = try run.lock()
      let bytes = try readBytes(from: run.file("metrics.jsonl"))
      #expect(bytes.starts(with: [1, 2] + Array("{\"step\":1,".utf8)))
      #expect(run.status == .running)
      withExtendedLifetime(lock) {}
    }
  }

  @Test func onlyOwnLeftoversAreRemoved() throws {
    try withRun { run, outside in
      let folder = split(outside).folder
      for name in ["x.partial", "dataset.77.partial", ".curve.png.77-0.partial"] { link(folder, run.file(name)) }
      try makeFolder(run.file("dataset.78.partial"))
      link(folder, run.file("dataset.78.partial/frames.npy"))
      for name in ["notes.partial", ".curve.png.78-0.partial"] { try writeAtomically([1], to: run.file(name)) }
      try makeFolder(run.file(".inspection.77-old.partial/mine"))
      _ = try run.checkpoints(kept: 1, settings: 1)
      let left = try folderEntries(run.path)
      // Links and files whose names only look like leftovers are kept.
      #expect(
        left == [
          ".inspection.77-old.partial", "checkpoints", "notes.partial", "run.json", "settings.yaml", "x.partial",
        ])
    }
  }

  @Test func checkpointsThatAreLinksAreRenamed() throws {
    try withRun { run, outside in
      let folder = split(outside).folder
      var checkpoints = try run.checkpoints(kept: 2, settings: 1)
      for step in 1...2 { try checkpoints.write(step: step) { try $0.write("a.bin", revision: 1) { [9] } } }
      let parent = run.file("checkpoints")
      link(folder, parent + "/checkpoint-000003")
      link(folder, parent + "/.partial-77")
      link(folder, parent + "/.removed-1")
      link(folder, parent + "/checkpoint-notes")
      #expect(unsafe unlink(parent + "/checkpoint-000002/a.bin") == 0)
      link(outside, parent + "/checkpoint-000002/a.bin")
      var again = try run.checkpoints(kept: 1, settings: 1)
      let (steps, warnings) = (again.all.map(\.step), again.warnings)
      #expect(steps == [1] && warnings.count == 2)
      #expect(warnings.allSatisfy { $0.contains("is a link") })
      #expect(
        try folderEntries(parent) == [
          "checkpoint-000001", "checkpoint-notes", "damaged-1-checkpoint-000002", "damaged-1-checkpoint-000003",
        ])
      for step in 3...4 { try again.write(step: step) { try $0.write("a.bin", revision: 1) { [9] } } }
    }
  }

  @Test func aFolderOfCheckpointsThatIsALinkIsAnError() throws {
    try withRun { run, outside in
      link(split(outside).folder, run.file("checkpoints"))
      let error = #expect(throws: WorldError.self) { _ = try run.checkpoints(kept: 1, settings: 1) }
      #expect(error?.description.contains("checkpoints: is a link") == true)
    }
  }

  @Test(arguments: [
    "../outside/file", "metrics.jsonl", "events.out.tfevents.1", "events.out.tfevents.1.pixelrl.1.0/../../outside/file",
    "events.out.tfevents.99999999999999999999.pixelrl.1.0", "events.out.tfevents.-1.pixelrl.1.0", "",
  ]) func onlyNamesOfEventFilesAreDecoded(_ file: String) throws {
    let encoder = PropertyListEncoder()
    for (name, count, isGood) in [
      (file, 0, false), ("events.out.tfevents.1.pixelrl.1.0", -1, false),
      ("events.out.tfevents.1.pixelrl.1.0", 7, true),
    ] {
      let bytes = try encoder.encode(EventLog.Position(file: name, byteCount: count))
      let decoded = try? PropertyListDecoder().decode(EventLog.Position.self, from: bytes)
      #expect((decoded != nil) == isGood, "\(name) \(count)")
    }
  }

  @Test func eventFilesOfOtherProgramsAreKept() throws {
    try withRun { run, outside in
      for name in ["events.out.tfevents.5.host.1.0", "events.out.tfevents.5.pixelrl.1.0"] {
        try writeAtomically([1], to: run.file(name))
      }
      link(outside, run.file("events.out.tfevents.6.pixelrl.1.0"))
      _ = try EventLog(in: run.path, keeping: nil, step: 0)
      let left = try folderEntries(run.path).filter { $0.hasPrefix("events") }
      #expect(left.count == 2 && left.contains("events.out.tfevents.5.host.1.0"))
    }
  }

  @Test(.timeLimit(.minutes(1))) func aPipeDoesNotBlock() throws {
    try withRun { run, _ in
      for name in ["metrics.jsonl", "summary.json", "failure.json", "lock"] {
        #expect(unsafe mkfifo(run.file(name), 0o600) == 0)
      }
      #expect(run.progress == RunProgress(step: nil, goal: nil, returned: nil))
      #expect(throws: WorldError.self) { try run.json("summary.json") }
      #expect(throws: WorldError.self) { _ = try run.lock() }
      #expect(throws: WorldError.self) { _ = try MetricsLog(path: run.file("metrics.jsonl")) }
      _ = RunEntry(run)
    }
  }

  @Test func aLinkIsNotUsedAsTheTemporaryFolder() throws {
    try withRun { run, outside in
      link(split(outside).folder, run.file(".dataset.\(getpid()).partial"))
      do {
        let unfinished = try NewFolder(at: run.file("dataset"))
        try writeAtomically([1], to: unfinished.path + "/frames.npy")
      }
      #expect(try !folderEntries(run.path).contains { $0.contains("dataset") })
    }
  }
}
