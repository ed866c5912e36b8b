import Core
import Formats
import Foundation
import Networks
import Runs
import Tensors
import Testing

@testable import Training
@testable import pixelrl

/// `train --from RUN`
@Suite(.serialized) struct StartingWeightsTests {
  private static let training = [
    "train", "--replay", "3000", "--hidden", "8", "--batch", "4", "--seed-updates", "5", "--updates-per-step", "0.2",
    "--evaluate-every", "60", "--evaluation-episodes", "2", "--checkpoint-every", "40", "--env-steps", "2700",
  ]
  private static let state = ["--env", "catch", "--observe", "state"]
  private static let joint = [
    "--env", "catch", "--encoder", "joint", "--size", "16", "--keypoints", "4", "--filters", "8",
  ]
  /// What a second run does not inherit from the first.
  private static let again = [
    "--env-steps", "2640", "--evaluate-every", "60", "--evaluation-episodes", "2", "--replay", "3000",
    "--checkpoint-every", "40", "--seed-updates", "5", "--updates-per-step", "0.2",
  ]

  private func succeed(_ outcome: Program.Outcome) { #expect(outcome.code == 0, "\(outcome.error)") }

  private func bytes(_ program: Program, _ name: String) throws -> [UInt8] {
    try readBytes(from: "\(program.folder)/\(name)")
  }

  /// The mean returns of a run's evaluations, the first one before training.
  private func evaluations(_ program: Program, _ run: String) throws -> [Double] {
    let summary = try RunDirectory(existing: "\(program.folder)/\(run)").json("summary.json")
    return (summary["evaluations"]?.array ?? []).compactMap { $0.array?.last?.double }
  }

  /// The new run begins with the weights, to the bit, and then learns. It resumes to the bit, also after the first run
  /// is gone, and from a moment before its first checkpoint.
  @Test(arguments: [state, joint]) func aRunBeginsWithTheWeightsOfAnother(_ observation: [String]) throws {
    try withProgram { program in
      succeed(try program.run(Self.training + observation + ["--out", "first"]))
      let flags = ["train", "--from", "first", "--out", "second", "--learning-rate", "0.002"]
      succeed(try program.run(flags + Self.again))
      #expect(try bytes(program, "second/start.safetensors") == bytes(program, "first/agent.safetensors"))
      if observation == Self.joint {
        let isTheSame =
          try bytes(program, "second/autoencoder/autoencoder.safetensors")
          == bytes(program, "first/autoencoder.safetensors")
        #expect(isTheSame)
      }
      // The same policy plays the same episodes as the last evaluation of the first run.
      #expect(try evaluations(program, "second").first == evaluations(program, "first").last)
      let hasLearned = try bytes(program, "second/agent.safetensors") != bytes(program, "first/agent.safetensors")
      #expect(hasLearned)

      let run = try RunDirectory(existing: "\(program.folder)/second")
      let settings = try run.settings().groups.flatMap(\.entries)
      for (key, text) in [("hidden", "8"), ("from", "first"), ("learning-rate", "0.002")] {
        #expect(settings.first { $0.key == key }?.text == text)
      }
      #expect(try run.facts().inputs.map(\.name) == ["from"])
      let difference = try program("runs", "--diff", "first", "second").output
      #expect(difference.contains("from") && difference.contains("learning-rate"), "\(difference)")

      try FileManager.default.removeItem(atPath: "\(program.folder)/first")
      for kept in [0, 1] {
        let copy = "\(program.folder)/copy\(kept)"
        try FileManager.default.copyItem(atPath: "\(program.folder)/second", toPath: copy)
        try FileManager.default.removeItem(atPath: "\(copy)/summary.json")
        for name in try folderEntries("\(copy)/checkpoints").dropFirst(kept) {
          try FileManager.default.removeItem(atPath: "\(copy)/checkpoints/\(name)")
        }
        succeed(try program("train", "--resume", "copy\(kept)"))
        for name in ["metrics.jsonl", "agent.safetensors"] {
          let isTheSame = try bytes(program, "copy\(kept)/\(name)") == bytes(program, "second/\(name)")
          #expect(isTheSame, "\(name) after \(kept) checkpoints")
        }
      }
    }
  }

  /// The first run's settings of the environment and the agent are defaults, those of the training are not.
  @Test func anotherEnvironmentOfTheSameShapes() throws {
    try withProgram { program in
      let first = Self.training + ["--env", "cartpole-balance", "--observe", "state", "--out", "first"]
      succeed(try program.run(first + ["--env-steps", "20400", "--time-limit", "200"]))
      let flags = ["--from", "first", "--env", "cartpole-swingup"]
      let plan = try program.run(["config", "train"] + flags).output
      #expect(plan.contains("env: cartpole-swingup") && plan.contains("observe: state") && plan.contains("hidden: 8 "))
      #expect(plan.contains("time-limit: 0 ") && plan.contains("env-steps: 100000 "), "\(plan)")
      succeed(try program.run(["train", "--out", "second"] + flags + Self.again + ["--env-steps", "20400"]))
      let same = try program.run(["config", "train", "--from", "first"]).output
      #expect(same.contains("env: cartpole-balance") && same.contains("time-limit: 200 "), "\(same)")
    }
  }

  @Test func whatDoesNotFitIsNamed() throws {
    try withProgram { program in
      succeed(try program.run(Self.training + Self.state + ["--out", "state"]))
      succeed(try program.run(Self.training + Self.joint + ["--out", "joint"]))
      for (flags, message) in [
        ("state --agent rainbow", "has the agent double-dqn, whose weights do not fit rainbow: use --agent double-dqn"),
        ("state --hidden 9 --learning-rate 0.1", "it was made with --hidden 8, not 9; leave the flag out"),
        ("state --observe latent", "observes the true state, not latents: use --observe state, or leave out --from"),
        ("joint --observe state", "observes latents, not the true state: use --observe latent"),
        ("state --env cartpole-swingup", "not those of cartpole-swingup (continuous 1 in [-1, 1]): use --env catch"),
        ("state --history-frames 2", "--history-frames 1, not 2; leave the flag out"),
        ("joint --history-actions 1", "--history-actions 2, not 1; leave the flag out"),
        ("joint --filters 16", "--filters is a setting of a new encoder, but --from joint continues with the encoder"),
        ("joint --autoencoder state", "continues with the encoder of that run: leave out --autoencoder"),
        (
          "joint --encoder frozen",
          "from random weights, so that --encoder frozen cannot continue with it: use --encoder"
        ),
        ("joint --size 32", "use --size 16"),
        ("nothing", "nothing does not exist: 'pixelrl runs' lists the runs in runs/"),
      ] {
        let words = flags.split(separator: " ").map(String.init)
        let outcome = try program.run(["train", "--out", "new", "--from"] + words)
        #expect(outcome.code == 64 && outcome.error.contains(message), "\(flags): \(outcome.error)")
        #expect(!exists("\(program.folder)/new"))
      }
    }
  }
}
