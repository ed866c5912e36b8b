import Core
import Formats
import Foundation
import Runs
import Testing

/// `pixelrl train --dataset`: learning from a dataset without acting.
@Suite(.serialized) struct OfflineTrainingTests {
  private static let quick = [
    "--hidden", "8", "--batch", "8", "--evaluate-every", "20", "--evaluation-episodes", "1", "--checkpoint-every", "10",
    "--keep-checkpoints", "9",
  ]

  @discardableResult
  private func succeed(_ outcome: Program.Outcome) -> String {
    #expect(outcome.code == 0, "\(outcome.error)")
    return outcome.output + outcome.error
  }

  private func refusal(_ outcome: Program.Outcome) -> String {
    #expect(outcome.code == 64 && outcome.errors.count == 1, "\(outcome)")
    return outcome.error
  }

  private func files(_ program: Program, _ run: String) throws -> [[UInt8]] {
    try ["metrics.jsonl", "agent.safetensors"].map { try readBytes(from: "\(program.folder)/\(run)/\($0)") }
  }

  private func train(_ program: Program, _ words: String...) throws -> Program.Outcome {
    try program.run(["train"] + words + Self.quick)
  }

  /// Updates take the place of simulator steps; a checkpoint has all that the rest of the run needs.
  @Test func aRunResumesAndGrowsWithoutItsDataset() throws {
    try withProgram { program in
      succeed(try program("collect", "--env", "catch", "--collect-steps", "100", "--out", "d"))
      func train(_ out: String, _ updates: String) throws -> String {
        succeed(
          try self.train(
            program, "--env", "catch", "--observe", "state", "--dataset", "d", "--agent", "iql", "--updates", updates,
            "--out", out))
      }
      #expect(try train("run", "40").contains("after 40 updates"))
      _ = try train("long", "60")
      let run = try RunDirectory(existing: "\(program.folder)/run")
      let summary = try run.json("summary.json")
      #expect(summary["updates"]?.int == 40 && summary["env_steps"]?.int == 100 && run.progress.goal == 40)
      #expect(summary["evaluations"]?.array?.map { $0.array?.first?.int } == [0, 20, 40])
      #expect(try run.facts().inputs.map(\.name) == ["dataset"])
      #expect(!exists(run.file("monitor.csv")), "nothing is played while it learns")

      try FileManager.default.copyItem(atPath: run.path, toPath: "\(program.folder)/cut")
      try FileManager.default.removeItem(atPath: "\(program.folder)/cut/summary.json")
      for name in try folderEntries("\(program.folder)/cut/checkpoints").dropFirst(2) {
        try FileManager.default.removeItem(atPath: "\(program.folder)/cut/checkpoints/\(name)")
      }
      try FileManager.default.moveItem(atPath: "\(program.folder)/d", toPath: "\(program.folder)/moved")
      #expect(succeed(try program("train", "--resume", "cut")).contains("resuming from step 10"))
      #expect(try files(program, "cut") == files(program, "run"))
      succeed(try program("train", "--resume", "run", "--updates", "60"))
      #expect(try files(program, "run") == files(program, "long"))
      let other = refusal(try program("train", "--resume", "run", "--updates", "80", "--dataset", "moved"))
      #expect(other.contains("was made with --dataset d, not moved"), "\(other)")
      succeed(try program("report", "run"))
      let page = String(decoding: try readBytes(from: run.file("report.html")), as: UTF8.self)
      #expect(page.contains(">updates<") && !page.contains("env steps"))
    }
  }

  /// The frozen encoder encodes every frame once; the replay buffer has its latents and the dataset's transitions.
  @Test func theReplayBufferIsTheDataset() throws {
    try withProgram { program in
      let collect = ["--collect-steps", "70", "--collect-episode-steps", "30", "--size", "32", "--time-limit", "80"]
      succeed(try program.run(["collect", "--out", "d"] + collect))
      succeed(try program.run(["pretrain-ae", "--out", "ae", "--collect-steps", "60"] + quickPretraining))
      succeed(
        try train(
          program, "--dataset", "d", "--agent", "td3-bc", "--autoencoder", "ae", "--updates", "20", "--size", "32",
          "--time-limit", "80", "--out", "run"))
      succeed(try program("export", "run", "--out", "replay.npz"))
      succeed(try program("encode", "d", "--autoencoder", "ae", "--out", "z.npy"))
      let data = try FrameDataset(path: "\(program.folder)/d")
      let replay = try NumPyArchive(path: "\(program.folder)/replay.npz")
      func floats(_ name: String) throws -> [Float] { try replay.array(name, of: Float.self).elements }
      let expected = try NumPyArray<Float>(path: "\(program.folder)/z.npy").elements
      let found = try floats("latents")
      #expect(found.count == expected.count && zip(found, expected).allSatisfy { abs($0 - $1) < 1e-4 })
      #expect(try floats("rewards") == data.rewards.map(Float.init))
      #expect(try floats("actions") == data.actions.elements)
      #expect(
        try replay.array("first", of: UInt8.self).elements.reduce(0) { $0 + Int($1) } == data.manifest.episodeCount)
      succeed(try program("eval", "run", "--episodes", "1"))
      succeed(try program("export", "run", "--onnx"))
    }
  }

  /// What an agent has played becomes a dataset for another one, and for an autoencoder.
  @Test func aReplayBufferBecomesADataset() throws {
    try withProgram { program in
      succeed(try program.run(["pretrain-ae", "--out", "ae", "--collect-steps", "60"] + quickPretraining))
      let sac = ["train", "--encoder", "rounds", "--autoencoder", "ae", "--retrain-steps", "2", "--out", "sac"]
      succeed(try program.run(sac + quickTraining))
      #expect(succeed(try program("export", "sac", "--dataset", "--out", "d")).contains("mean return"))
      let data = try FrameDataset(path: "\(program.folder)/d")
      #expect(data.manifest.policy == "replay of sac" && data.states.shape == [data.count, 0])
      // The first frames are those of the autoencoder's data.
      let first = try FrameDataset(path: "\(program.folder)/ae/dataset")
      #expect(data.count > first.count && (0..<first.count).allSatisfy { data.frame($0) == first.frame($0) })
      #expect((0..<first.count).allSatisfy { Float(data.rewards[$0]) == Float(first.rewards[$0]) })

      succeed(
        try train(
          program, "--encoder", "augmented", "--size", "32", "--time-limit", "80", "--dataset", "d", "--agent",
          "td3-bc",
          "--updates", "2", "--out", "drq", "--filters", "4"))
      succeed(
        try program.run(["pretrain-ae", "--dataset", "d", "--time-limit", "80", "--out", "ae2"] + quickPretraining))
      let state = refusal(
        try train(
          program, "--observe", "state", "--dataset", "d", "--size", "32", "--time-limit", "80", "--agent", "iql",
          "--out", "no"))
      #expect(state.contains("does not have the states of cartpole-swingup: use --observe latent"), "\(state)")
      let frozen = refusal(try program("export", "drq", "--dataset", "--out", "d"))
      #expect(frozen.contains("not empty") || frozen.contains("exists"), "\(frozen)")
    }
  }

  /// Files of another program, with and without rewards.
  @Test func importedEpisodesAreLearnedFrom() throws {
    try withProgram { program in
      func write(_ name: String, actions: [Float]?, rewards: [Float]?) throws {
        var archive = try NumPyArchiveWriter(path: "\(program.folder)/\(name).npz")
        try archive.append("frames", [UInt8](repeating: 7, count: 20 * 64 * 64 * 3), shape: [20, 64, 64, 3])
        if let actions { try archive.append("actions", actions, shape: [20, 1]) }
        if let rewards { try archive.append("rewards", rewards, shape: [20]) }
        try archive.commit()
        succeed(try program("import", "\(name).npz", "--out", name))
      }
      let actions = (0..<20).map { Float($0) / 20 }
      try write("whole", actions: actions, rewards: actions)
      try write("unrewarded", actions: actions, rewards: nil)
      try write("still", actions: nil, rewards: actions)
      try write("wide", actions: actions.map { 3 * $0 }, rewards: actions)
      func learn(_ dataset: String, _ agent: String, _ more: String...) throws -> Program.Outcome {
        let words = [
          "train", "--dataset", dataset, "--agent", agent, "--encoder", "critic-only", "--kind", "conv", "--filters",
          "4",
          "--updates", "1", "--time-limit", "80", "--out", "\(dataset)-\(agent)",
        ]
        return try program.run(words + Self.quick + more)
      }
      succeed(try learn("whole", "td3-bc"))
      succeed(try learn("unrewarded", "bc"))
      #expect(refusal(try learn("unrewarded", "iql")).contains("has no rewards: use --agent bc"))
      #expect(refusal(try learn("still", "bc")).contains("still has no actions"))
      #expect(refusal(try learn("wide", "bc")).contains("is outside of the actions of cartpole-swingup"))
      let size = refusal(try learn("whole", "bc", "--size", "32"))
      #expect(size.contains("has 64x64 rgb frames, but this run uses 32x32 rgb: use --size 64"), "\(size)")
      let choices = refusal(try learn("whole", "bc", "--env", "catch"))
      #expect(choices.contains("but those of catch are discrete 3: use another --env"), "\(choices)")
      for name in ["unrewarded-iql", "still-bc", "wide-bc", "whole-bc"] { #expect(!program.has(name)) }
    }
  }

  @Test(arguments: [
    ("--agent ppo", "ppo learns only from its own actions, so it cannot learn from --dataset d: use --agent iql"),
    ("--agent iql --env-steps 100", "--env-steps has no effect with --dataset"),
    ("--agent iql --updates-per-step 2", "--updates-per-step has no effect with --dataset"),
    ("--agent iql --encoder rounds", "--encoder rounds trains the encoder every so many simulator steps"),
    ("--agent iql --observe state", "d: is not a dataset"),
  ])
  func wrongUseIsRefused(_ words: String, _ expected: String) throws {
    try withProgram { program in
      try makeFolder("\(program.folder)/d")
      let line = ["train", "--dataset", "d", "--out", "run"] + words.split(separator: " ").map(String.init)
      let outcome = try program.run(line)
      #expect(outcome.code != 0 && outcome.error.contains(expected), "\(outcome.error)")
      #expect(!program.has("run"))
    }
  }

  @Test func withoutADatasetThereIsNothingToImitate() throws {
    try withProgram { program in
      let cloning = refusal(try program("train", "--agent", "bc", "--observe", "state"))
      #expect(cloning.contains("bc only imitates the actions of a dataset: give --dataset"))
      let updates = refusal(try program("train", "--observe", "state", "--updates", "10"))
      #expect(updates.contains("--updates is for learning from a --dataset: give one, or use --env-steps"))
    }
  }

  /// A sweep collects the dataset that its arms learn from.
  @Test func aSweepCollectsItsDataset() throws {
    try withProgram { program in
      let plan = """
        environments: [catch]
        seeds: 1-2
        settings: {observe: state, hidden: 8, batch: 8, evaluation-episodes: 1, evaluate-every: 0}
        datasets: {random: {seed: 5, collect-steps: 60}}
        arms: {bc: {agent: bc, dataset: random, updates: 3}}
        """
      try writeAtomically(Array(plan.utf8), to: "\(program.folder)/plan.yaml")
      succeed(try program("sweep", "plan", "plan.yaml", "--out", "s"))
      succeed(try program("sweep", "run", "s"))
      let table = succeed(try program("sweep", "table", "s"))
      #expect(table.contains("bc"), "\(table)")
      let status = succeed(try program("sweep", "status", "s"))
      #expect(status.contains("3 done") || status.contains("done"), "\(status)")
    }
  }
}
