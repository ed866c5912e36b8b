import Core
import Formats
import Foundation
import Runs
import Testing

@testable import Reports

/// How runs are grouped into seeds of one experiment.
@Suite struct KinshipTests {
  /// A training on the latents of an autoencoder.
  private func latentRun(
    _ folder: RunFolder, _ name: String, seed: Int, _ facts: [JSON.Member], autoencoder: String = "runs/ae"
  ) throws -> RunRecord {
    let plain: [JSON.Member] = [
      .init("command", "train"), .init("environment", "catch"), .init("member", "double-dqn"),
      .init("seed", .integer(seed)), .init("command_line", []), .init("version", "0"), .init("began", 1),
    ]
    let settings = "encoder:\n  observe: latent\n  autoencoder: \(autoencoder)\nagent:\n  hidden: 8\n"
    return RunRecord(
      try folder.run(
        name, returns: [1, 2], settings: settings, files: ["run.json": JSON.object(plain + facts).description]))
  }

  private func autoencoder(_ kind: String, steps: Int, seed: Int) -> [JSON.Member] {
    [
      .init(
        "autoencoder",
        [
          "kind": .string(kind), "fingerprint": .string("f\(seed)"),
          "settings": ["pretraining": ["ae-steps": .string("\(steps)"), "seed": .string("\(seed)")]],
        ])
    ]
  }

  @Test func autoencodersWithOtherKindsOrSettingsMakeOtherGroups() throws {
    try RunFolder.with { folder in
      let runs = try [
        latentRun(folder, "a-0", seed: 0, autoencoder("keypoint", steps: 10, seed: 0)),
        latentRun(folder, "a-1", seed: 1, autoencoder("keypoint", steps: 10, seed: 1)),
        latentRun(folder, "b-0", seed: 0, autoencoder("rae", steps: 10, seed: 0)),
        latentRun(folder, "c-0", seed: 0, autoencoder("keypoint", steps: 20, seed: 0)),
      ]
      let groups = RunGroup.groups(of: runs)
      #expect(groups.map { $0.runs.map(\.name) } == [["a-0", "a-1"], ["b-0"], ["c-0"]])
      #expect(RunGroup.doubt(about: runs) == nil)
      let rows = DifferingSettings(of: groups.map(\.runs)).rows
      #expect(
        rows == [
          .init(name: "autoencoder", values: ["keypoint", "rae", "keypoint"]),
          .init(name: "autoencoder's ae-steps", values: ["10", "10", "20"]),
        ])
      let comparison = try Comparison(of: [RunSelection(parsing: folder.root)])
      let (page, text) = (comparison.html(), comparison.rows.flatMap(\.rows))
      #expect(page.contains("Settings that differ") && page.contains("rae"))
      #expect(text.contains(["autoencoder", "keypoint", "rae", "keypoint"]), "\(text)")
      #expect(Report(of: runs.map(\.directory)).html().contains("autoencoder&#39;s ae-steps"))
    }
  }

  /// Runs of older versions only record the fingerprint. The rest is read from the autoencoder's folder.
  @Test func anOlderRunIsGroupedByItsAutoencodersFolder() throws {
    try RunFolder.with { folder in
      func pretrained(_ name: String, _ kind: String, steps: Int) throws -> (path: String, facts: [JSON.Member]) {
        let weights = "weights of \(name)"
        let run = try folder.run(
          name, settings: "pretraining:\n  ae-steps: \(steps)\n  seed: \(name.count)\n",
          files: ["autoencoder.json": "{\"kind\":\"\(kind)\"}", "autoencoder.safetensors": weights])
        let fingerprint = JSON.string(String(xxHash64(Array(weights.utf8)), radix: 16))
        return (
          run.path, [.init("inputs", ["autoencoder": ["path": .string(run.path), "xxh64": fingerprint]])]
        )
      }
      let (one, two, other) = try (
        pretrained("x", "keypoint", steps: 5), pretrained("yy", "keypoint", steps: 5),
        pretrained("zzz", "keypoint", steps: 6)
      )
      let runs = try [one, two, other].enumerated().map { index, made in
        try latentRun(folder, "r-\(index)", seed: index, made.facts, autoencoder: made.path)
      }
      #expect(RunGroup.groups(of: runs).map { $0.runs.map(\.name) } == [["r-0", "r-1"], ["r-2"]])
      // If the weights have changed, the autoencoder is unknown.
      try writeAtomically([1], to: one.path + "/autoencoder.safetensors")
      let doubtful = runs.map { RunRecord($0.directory) }
      #expect(RunGroup.groups(of: doubtful).map(\.runs.count) == [1, 1, 1])
      #expect(RunGroup.doubt(about: doubtful)?.contains("the autoencoders of r-0 are unknown") == true)
      let comparison = try Comparison(of: [RunSelection(parsing: folder.root + "/r-*")])
      #expect(comparison.doubt != nil && comparison.html().contains("are unknown"))
    }
  }

  /// Each seed may go on with its own first run, if those differ only in their seed.
  @Test func runsBegunFromRunsOfOneGroupAreAGroup() throws {
    try RunFolder.with { folder in
      func begun(_ name: String, from source: RunDirectory, seed: Int) throws -> RunRecord {
        let facts: JSON = [
          "command": "train", "environment": "catch", "member": "sac", "seed": .integer(seed), "command_line": [],
          "version": "0", "began": 1,
          "inputs": ["from": ["path": .string(source.path), "absolute_path": .string(source.path)]],
        ]
        return RunRecord(
          try folder.run(
            name, returns: [1], settings: "training:\n  from: \(source.path)\n", files: ["run.json": facts.indented]))
      }
      let sources = try (0..<2).map { try folder.run("s-\($0)", seed: $0, returns: [1]) }
      let other = try folder.run("t", returns: [1], settings: "agent:\n  hidden: 9\n")
      let runs = try sources.enumerated().map { try begun("f-\($0)", from: $1, seed: $0) }
      let further = try runs.enumerated().map { try begun("g-\($0)", from: $1.directory, seed: $0) }
      let different = try begun("h", from: other, seed: 2)
      let groups = RunGroup.groups(of: runs + further + [different])
      #expect(groups.map { $0.runs.map(\.name) } == [["f-0", "f-1"], ["g-0", "g-1"], ["h"]])
      // Without the first runs only the paths are known.
      for source in sources { try FileManager.default.removeItem(atPath: source.path) }
      #expect(RunGroup.groups(of: runs.map { RunRecord($0.directory) }).count == 2)
    }
  }

  @Test func theTrueStateHasNoAutoencoder() throws {
    try RunFolder.with { folder in
      let runs = try (0..<2).map { seed in
        let settings = "encoder:\n  observe: state\n  autoencoder: \"\"\nagent:\n  hidden: 8\n"
        return RunRecord(try folder.run("s-\(seed)", seed: seed, returns: [1], settings: settings))
      }
      #expect(runs.allSatisfy { $0.encoderOrigin == nil })
      #expect(RunGroup.groups(of: runs).count == 1)
    }
  }

  @Test func settingsOfOnlyOneAgentAreNotDifferences() throws {
    try RunFolder.with { folder in
      let one = RunRecord(try folder.run("a", settings: "agent:\n  agent: sac\n  hidden: 8\n  tau: 0.1\n"))
      let two = RunRecord(try folder.run("b", settings: "agent:\n  agent: ppo\n  hidden: 8\n  clip: 0.2\n"))
      #expect(DifferingSettings(of: [[one], [two]]).rows == [.init(name: "agent", values: ["sac", "ppo"])])
    }
  }

  @Test func foldersWithoutARunAreSkipped() throws {
    try RunFolder.with { folder in
      try folder.run("a", returns: [1])
      try makeFolder(folder.root + "/empty")
      try writeAtomically([1], to: folder.root + "/file")
      let paths = ["a", "empty", "file"].map { "\(folder.root)/\($0)" }
      #expect(try RunSelection.runs(at: paths).map(\.name) == ["a"])
      #expect(try RunSelection.runs(at: [folder.root, paths[0]]).map(\.name) == ["a"], "each run once")
      #expect(try Comparison(of: RunSelection.all(parsing: paths)).groups.count == 1)
      #expect(throws: InputError.self) { try RunSelection.runs(at: [paths[1], paths[2]]) }
      #expect(throws: InputError.self) { try RunSelection.runs(at: [paths[0], "\(folder.root)/nothing"]) }
      #expect(throws: InputError.self) { try RunSelection(parsing: "name=\(paths[1])") }
    }
  }
}
