import Core
import Formats
import Foundation
import Testing

@testable import pixelrl

/// Runs the program that was built with the tests.
struct Program {
  let folder: String

  /// The output and the exit code of a command.
  struct Outcome {
    let code: Int32
    let output: String
    let error: String
    var lastLine: String { output.split(separator: "\n").last.map(String.init) ?? "" }
    var errors: [Substring] { error.split(separator: "\n").filter { $0.hasPrefix("pixelrl: ") } }
  }

  func callAsFunction(_ arguments: String...) throws -> Outcome { try run(arguments) }

  func run(_ arguments: [String], of executable: URL? = nil) throws -> Outcome {
    let process = Process()
    let program: URL = try #require(executable ?? Self.path)
    process.executableURL = program
    process.arguments = arguments
    process.currentDirectoryURL = URL(fileURLWithPath: folder)
    // One thread: small networks gain nothing from more, and tests run in parallel.
    // PATH: `pixelrl` in a script is this program.
    let (inherited, own) = (ProcessInfo.processInfo.environment, Self.path?.deletingLastPathComponent().path ?? "")
    process.environment = inherited.merging(
      ["OMP_NUM_THREADS": "1", "PATH": "\(own):\(inherited["PATH"] ?? "")"]) { _, one in one }
    let (output, error) = (Pipe(), Pipe())
    (process.standardOutput, process.standardError) = (output, error)
    try process.run()
    // The standard error of these commands fits into a pipe's buffer.
    let outputData = output.fileHandleForReading.readDataToEndOfFile()
    let errorData = error.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    return Outcome(
      code: process.terminationStatus, output: String(decoding: outputData, as: UTF8.self),
      error: String(decoding: errorData, as: UTF8.self))
  }

  static let path: URL? = {
    let tests = URL(fileURLWithPath: CommandLine.arguments[0]).resolvingSymlinksInPath()
    return [tests.deletingLastPathComponent(), Bundle.main.bundleURL]
      .map { $0.appendingPathComponent("pixelrl") }
      .first { FileManager.default.isExecutableFile(atPath: $0.path) }
  }()
}

func withProgram(_ body: (Program) throws -> Void) throws {
  let folder = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)
  try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
  defer { try? FileManager.default.removeItem(at: folder) }
  try body(Program(folder: folder.path))
}

let quickPretraining = [
  "--ae-steps", "2", "--ae-batch", "2", "--probe-steps", "2", "--probe-frames", "300", "--size", "32", "--filters", "4",
  "--keypoints", "2",
]
let quickTraining = [
  "--env-steps", "900", "--updates-per-step", "0.1", "--seed-updates", "1", "--evaluation-episodes", "1",
  "--evaluate-every", "200", "--time-limit", "80", "--size", "32", "--hidden", "8", "--batch", "8", "--replay", "5000",
]

@Suite struct BadInputTests {
  /// Wrong usage prints one line on standard error, exits with 64 and leaves no files.
  @Test(arguments: [
    ("colect", "unknown command 'colect': did you mean 'collect'?"),
    ("config trian", "unknown command 'trian': did you mean 'train'?"),
    ("runs --filter return", "--filter takes 'return > 500'"),
    ("train --lock", "Unknown option '--lock'"),
    ("render cartpole-swingu", "unknown environment 'cartpole-swingu': did you mean 'cartpole-swingup'?"),
    ("train --env katch", "unknown environment 'katch': did you mean 'catch'?"),
    ("train --agent sca", "unknown agent 'sca': did you mean 'sac'?"),
    ("train --env-step 3", "Unknown option '--env-step'. Did you mean '--env-steps'?"),
    ("train --batch -1", "--batch takes a whole number from 1 to 1048576, not '-1'"),
    ("train --seed -1", "--seed takes a whole number of at least 0, not '-1'"),
    ("train --agent double-dqn", "double-dqn cannot act in cartpole-swingup"),
    ("train --agent double-dqn", "actor-critic, ppo, td3, off-policy-actor-critic, q-prop"),
    (
      "train --env catch --renderer sketch",
      "--renderer has no effect in catch, which is not a MuJoCo task: leave it out"
    ),
    ("render catch --no-shadows", "--no-shadows has no effect in catch, which is not a MuJoCo task"),
    ("collect --reflections", "--reflections has no effect in cartpole-swingup"),
    ("serve --policy runs/a --size 32", "--policy uses the settings of its run: leave out all other flags"),
    ("serve --policy nowhere", "nowhere does not exist"),
    ("serve catch --antialiasing 1", "--antialiasing has no effect in catch"),
    (
      "pretrain-ae --env catch --life-loss",
      "--life-loss has no effect in catch, which is not a Gymnasium environment: leave it out"
    ),
    ("rollout catch --actions a.json --state 0,abc", "--state takes numbers"),
    ("train --observe state --retrain-rounds 1", "--retrain-rounds is for --encoder rounds and --encoder bursts"),
    (
      "train --encoder random --shift 2",
      "--shift is for --encoder augmented and --encoder joint-augmented: use one of these, or leave --shift out"
    ),
    (
      "train --env catch --observe state --encoder-learning-rate 0.1",
      "--encoder-learning-rate is for --encoder parallel, --encoder finetune, --encoder joint, --encoder critic-only, "
        + "--encoder augmented and --encoder joint-augmented: use one of these, or leave"
    ),
    ("train --encoder random --encoder-period 2", "--encoder-period is for --encoder parallel,"),
    ("train --encoder parallel --encoder-tau 0.1", "--encoder-tau is for --encoder finetune, --encoder joint,"),
    ("train --encoder critic-only --reconstruction-weight 2", "--reconstruction-weight is for --encoder parallel,"),
    ("train --encoder rounds --retrain-action-weight 1", "--retrain-action-weight is for --encoder bursts: use it"),
    (
      "train --env catch --agent double-dqn --observe state --environments 8 --replay 4000",
      "--replay 4000 holds 500 steps of each of the 8 environments, fewer than the"
    ),
    ("train --encoder jiont", "unknown place of the encoder 'jiont': did you mean 'joint'?"),
    ("train --encoder random-encoder", "did you mean 'random'?"),
    ("train --observe random-encoder", "--observe takes latent or state, not 'random-encoder'"),
    ("train --observe state --encoder joint", "--observe state uses no encoder: leave out --encoder"),
    ("train --encoder joint --autoencoder a", "--encoder joint starts from random weights: leave out --autoencoder"),
    (
      "train --encoder frozen --kind rae",
      "--kind is a setting of a new encoder, but --encoder frozen uses a pretrained one"
    ),
    ("train --encoder joint --kind conv", "--encoder joint reconstructs frames, but --kind conv has no decoder"),
    ("train --encoder joint --agent ppo", "--encoder joint trains the encoder on the agent's batches, which ppo"),
    (
      "train --env catch --agent mrq --observe state --plan-samples 8",
      "--plan-samples 8 is for continuous actions, not for choices: leave it out"
    ),
    ("train --encoder joint --agent mrq", "--encoder joint trains the encoder on the agent's batches, which mrq"),
    ("train --reset-at 1000,x", "--reset-at takes numbers such as 1000,2000, or none, not '1000,x'"),
    ("train --reset-at 0", "--reset-at takes numbers such as 1000,2000, or none, not '0'"),
    (
      "train --observe state --agent ppo --updates-per-step 2",
      "--updates-per-step has no effect with ppo, which learns from its own latest actions: leave it out"
    ),
    ("train --observe state --agent trpo --return-steps 3", "--return-steps has no effect with trpo"),
    ("train --observe state --agent q-prop --seed-updates 5", "--seed-updates has no effect with q-prop"),
    ("train --encoder joint --shift 100", "--shift takes a whole number from 0 to 64"),
    ("train --encoder finetune", "there is no autoencoder for cartpole-swingup in runs/: run 'pixelrl"),
    (
      "train --encoder joint --size 1024 --replay 100000000",
      "frames of 3,145,728 bytes exceed this machine's memory"
    ),
    (
      "pretrain-ae --action-weight 0.5 --collect-episode-steps 1",
      "2 or more with at least as many steps per environment, or --action-weight 0"
    ),
    ("pretrain-ae --latent-form smooth --collect-steps 300 --collect-environments 300", "or --latent-form each"),
    ("train --latent --observe state", "--latent and --observe state contradict each other"),
    ("train --observe state --autoencoder a", "--observe state uses no autoencoder"),
    ("train", "there is no autoencoder for cartpole-swingup in runs/: run 'pixelrl pretrain-ae"),
    ("train --autoencoder nothing", "nothing does not exist: use a folder made by 'pixelrl pretrain-ae'"),
    (
      "train --observe state --batch 500 --replay 100",
      "--batch 500 is larger than the replay buffer (100): use --batch 100 or less"
    ),
    ("train --observe state --replay 16 --environments 8", "--replay 16 is too small for 8 environments"),
    (
      "train --env cartpole-balance --observe state --agent reinforce --horizon 5 --action-repeat 1 --replay 20",
      "--replay 20 is too small for --horizon 5 and whole episodes of up to 1000 steps in 1 environments: use --replay "
        + "1014 or more"
    ),
    ("train --observe state --replay 9223372036854775807", "more than this machine's memory"),
    ("train --observe state --env-steps 100", "the initial random play takes 20000 simulator steps"),
    ("pretrain-ae --kind keypoints", "unknown autoencoder 'keypoints': did you mean 'keypoint'?"),
    ("pretrain-ae --size 62", "multiples of 4, of at least 8, such as --size 64, not 62x62"),
    ("pretrain-ae --keypoints 0", "--keypoints takes a whole number from 1 to 1024, not '0'"),
    (
      "pretrain-ae --kind conv",
      "the kind conv has no decoder, which pretraining and reconstructions need: use --kind keypoint or"
    ),
    ("pretrain-ae --kind rae --latent-size 0", "--latent-size takes a whole number from 1 to"),
    ("pretrain-ae --size -4", "--size takes a width and height such as 96x64"),
    ("collect --policy-run nothing", "nothing does not exist"),
    ("eval nothing", "nothing does not exist"),
    ("eval nothing --episodes 0", "--episodes takes a whole number from 1 to 100000, not '0'"),
    ("inspect nothing", "nothing does not exist"),
    ("probe nothing", "nothing does not exist"),
    ("probe nothing --ceiling --updates 0", "--updates takes a whole number of at least 1, not '0'"),
    ("probe nothing --updates 5", "--updates is for --ceiling: add --ceiling, or leave it out"),
    ("export nothing --onnx --minari data-v0", "--onnx, --dataset, --minari and --lerobot each write something else"),
    ("export nothing --minari data-v0 --out x", "--minari names the folder to write: leave out --out"),
    ("import minari:data-v0 --every 2", "--every is for videos and folders of pictures, not for a dataset"),
    ("inspect nothing --steps 1,x", "--steps takes whole numbers with commas, such as 0,100,250, not '1,x'"),
    ("watch nothing", "'nothing' is not a run, a folder of runs or a pattern that matches any"),
    ("report nothing", "'nothing' is not a run, a folder of runs"),
    ("report .", ". has no runs: give a run directory"),
    ("train --lr 1", "Unknown option '--lr'. Did you mean '--learning-rate'?"),
    ("pretrain-ae --lr=1", "Unknown option '--lr'. Did you mean '--ae-learning-rate'?"),
    ("train --total_timesteps 1e5", "Unknown option '--total_timesteps'. Did you mean '--env-steps'?"),
    ("eval a --n-eval-episodes 3", "Unknown option '--n-eval-episodes'. Did you mean '--episodes'?"),
    ("train --agent a2c", "unknown agent 'a2c': did you mean 'actor-critic'?"),
    ("evaluate a", "unknown command 'evaluate': did you mean 'eval'?"),
    (
      "eval nothing --episodes x",
      "The value 'x' is invalid for '--episodes <n>': use a whole number, such as 100 or 1e5"
    ),
    ("train --env-steps 1.5", "--env-steps takes a whole number of at least 1, not '1.5'"),
    ("train --env-steps 1e-1", "--env-steps takes a whole number of at least 1, not '1e-1'"),
    ("watch nothing --host 0.0.0.0", "add --allow-others if you want this"),
    ("watch nothing --host example.org", "--host takes a numeric address"),
    ("collect --collect-policy hold", "--collect-policy takes held, correlated or uniform, not 'hold'"),
    ("collect --collect-steps 999999999999", "exceed this machine's memory"),
  ])
  func wrongUsage(line: String, message: String) throws {
    try withProgram { program in
      let outcome = try program.run(line.split(separator: " ").map(String.init))
      #expect(outcome.code == 64)
      #expect(outcome.error.hasPrefix("pixelrl: ") && outcome.error.contains(message), "\(outcome.error)")
      #expect(outcome.error.split(separator: "\n").count == 1 && outcome.output.isEmpty)
      #expect(try FileManager.default.contentsOfDirectory(atPath: program.folder) == [])
    }
  }

  @Test(arguments: [
    "collect --out /dev/full/x", "collect --out /proc/x", "pretrain-ae --out /dev/full/x", "render catch --out /proc/x",
    "train --observe state --env catch --out /dev/null", "pretrain-ae --dataset nothing",
    "pretrain-ae --config nothing",
  ])
  func errorsOfTheSystem(line: String) throws {
    try withProgram { program in
      let outcome = try program.run(line.split(separator: " ").map(String.init) + [])
      #expect(outcome.code == 1)
      #expect(outcome.error.split(separator: "\n").count == 1, "\(outcome.error)")
      #expect(try FileManager.default.contentsOfDirectory(atPath: program.folder) == [])
    }
  }

  /// A limit of 20 kB per file stands for a full disk. No part of the dataset is left.
  @Test func aFullDiskLeavesNoFiles() throws {
    try withProgram { program in
      let script = "trap '' XFSZ; ulimit -f 20; exec \"$0\" collect --env catch --collect-steps 50 --out d"
      let outcome = try program.throughShell(script)
      #expect(outcome.code == 1 && outcome.errors.count == 1, "\(outcome.error)")
      #expect(outcome.error.contains("frames.npy: File too large"))
      #expect(try FileManager.default.contentsOfDirectory(atPath: program.folder) == [])
    }
  }
}

/// Creates a dataset, an autoencoder and an agent, and then damages each of them.
@Suite struct ArtifactTests {
  @Test func collectPretrainTrainAndCollectAgain() throws {
    try withProgram { program in
      let dataset = try program("collect", "--collect-steps", "40", "--size", "32", "--out", "d", "--json")
      #expect(dataset.code == 0, "\(dataset.error)")
      #expect(try JSON(parsing: Array(dataset.lastLine.utf8))["env_steps"]?.int == 320)
      let pretrained = try program.run(["pretrain-ae", "--dataset", "d", "--out", "ae"] + quickPretraining)
      #expect(pretrained.code == 0, "\(pretrained.error)")
      let trained = try program.run(
        ["train", "--latent", "--autoencoder", "ae", "--out", "r", "--json"] + quickTraining)
      #expect(trained.code == 0, "\(trained.error)")
      #expect(trained.output.contains("replay buffer: 5,000 latents of size 4, "))
      #expect(trained.output.hasPrefix("WARNING: the state probe has R²"), "two updates cannot make good latents")
      let summary = try JSON(parsing: Array(trained.lastLine.utf8))
      #expect(summary["env_steps"]?.int.map { (900..<910).contains($0) } == true)
      for name in ["agent.safetensors", "curve.png", "episode.png", "metrics.jsonl", "summary.json"] {
        #expect(program.has("r/\(name)"), "\(name)")
      }

      let again = try program("collect", "--policy-run", "r", "--collect-steps", "20", "--size", "32", "--out", "d2")
      #expect(again.code == 0, "\(again.error)")
      let manifest = try JSON(parsing: readBytes(from: "\(program.folder)/d2/manifest.json"))
      #expect(manifest["policy"]?.text == "trained" && manifest["env_steps"]?.int == 160)

      try refuses(program, 64, ["collect", "--collect-steps", "40", "--out", "d"], "d exists")
      try refuses(
        program, 64, ["train", "--latent", "--autoencoder", "ae", "--out", "r"] + quickTraining,
        "r exists and is not empty"
      )
      try refuses(program, 64, ["collect", "--policy-run", "ae"], "which has no agent")
      try refuses(program, 64, ["collect", "--policy-run", "r", "--env", "catch"], "r was trained in cartpole-swingup")
      try refuses(
        program, 64, ["pretrain-ae", "--dataset", "d"], "d was collected with --size 32, but this run uses --size 64")
      try refuses(
        program, 64, ["train", "--autoencoder", "ae"], "ae was trained with --size 32, but this run uses --size 64")
      try refuses(
        program, 64, ["train", "--autoencoder", "ae", "--size", "32", "--env-steps", "320"],
        "use more than 320")

      let train = ["train", "--latent", "--autoencoder", "ae", "--out", "new"] + quickTraining
      try program.spoil("d/manifest.json") {
        try refuses(program, 1, train, "d: has changed since ae was trained on it")
      } change: {
        Array(String(decoding: $0, as: UTF8.self).replacing("\"held\"", with: "\"hold\"").utf8)
      }
      try program.spoil("d/frames.npy") {
        try refuses(program, 1, train, "d/frames.npy: is cut short")
      } change: {
        $0.dropLast()
      }
      try program.spoil("ae/autoencoder.safetensors") {
        try refuses(program, 1, train, "ae/autoencoder.safetensors: is not a valid safetensors file")
      } change: {
        $0.dropLast()
      }
      try program.spoil("ae/autoencoder.json") {
        try refuses(program, 1, train, "ae/autoencoder.json: ")
      } change: {
        $0.prefix(90)
      }
      try program.spoil("r/agent.safetensors") {
        try refuses(
          program, 1, ["collect", "--policy-run", "r", "--size", "32", "--out", "new"],
          "r/agent.safetensors: is not a valid")
      } change: {
        $0.prefix(100)
      }
      try FileManager.default.removeItem(atPath: "\(program.folder)/d")
      try refuses(program, 1, train, "the dataset that ae was trained on is missing")
      #expect(!program.has("new"))
    }
  }

  private func refuses(_ program: Program, _ code: Int32, _ arguments: [String], _ message: String) throws {
    let outcome = try program.run(arguments)
    #expect(outcome.code == code, "\(arguments): \(outcome.error)")
    #expect(outcome.errors.count == 1 && outcome.error.contains(message), "\(arguments): \(outcome.error)")
  }
}

extension Program {
  func has(_ name: String) -> Bool { FileManager.default.fileExists(atPath: "\(folder)/\(name)") }

  /// Runs a shell script whose `$0` is the program.
  fileprivate func throughShell(_ script: String) throws -> Outcome {
    let program: URL = try #require(Self.path)
    return try run(["-c", script, program.path], of: URL(fileURLWithPath: "/bin/bash"))
  }

  /// Changes a file, runs `body`, and puts the file back.
  fileprivate func spoil(_ name: String, _ body: () throws -> Void, change: ([UInt8]) -> some Sequence<UInt8>) throws {
    let url = URL(fileURLWithPath: "\(folder)/\(name)")
    let whole = try Data(contentsOf: url)
    try Data(change(Array(whole))).write(to: url)
    try body()
    try whole.write(to: url)
  }
}
