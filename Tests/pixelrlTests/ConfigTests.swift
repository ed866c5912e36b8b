import Agents
import Autoencoders
import Core
import Environments
import Formats
import Foundation
import Runs
import Testing
import Training

@testable import pixelrl

/// The settings of a plan by title, as text.
private func record(_ plan: any Plan) -> [String] {
  plan.groups.flatMap { group in group.record.map { "\(group.title).\($0.key)=\($0.text)" } }
}

private func withFile<Result>(_ text: String, _ body: (String) throws -> Result) throws -> Result {
  let path = NSTemporaryDirectory() + "/config-\(UUID().uuidString).yaml"
  try writeAtomically(Array(text.utf8), to: path)
  defer { _ = try? FileManager.default.removeItem(atPath: path) }
  return try body(path)
}

@Suite struct ConfigTests {
  /// The printed file is a valid --config that changes nothing, for each member of the catalogs.
  @Test func printedFilesParseBackToTheDefaults() throws {
    for agent in Agents.all {
      let environment = try #require(Environments.all.first { agent.accepts($0.actionSpace) })
      let data = agent.onlyImitates ? ["--dataset", "data"] : []
      let plan = try TrainingFlags.parse(["--agent", agent.id, "--env", environment.id] + data).plan()
      let read = try withFile(SettingsFile.text(of: plan.groups)) { try TrainingFlags.parse(["--config", $0]).plan() }
      #expect(record(read) == record(plan))
      #expect(record(plan).contains("agent.agent=\(agent.id)") && record(plan).contains("training.seed=0"))
    }
    for kind in Autoencoders.all {
      let plan = try PretrainingFlags.parse(["--kind", kind.id]).plan()
      let read = try withFile(SettingsFile.text(of: plan.groups)) {
        try PretrainingFlags.parse(["--config", $0]).plan()
      }
      #expect(record(read) == record(plan))
      #expect(record(plan).contains("encoder.kind=\(kind.id)") && record(plan).contains("pretraining.dataset="))
    }
    let plan = try CollectionFlags.parse([]).plan()
    let read = try withFile(SettingsFile.text(of: plan.groups)) { try CollectionFlags.parse(["--config", $0]).plan() }
    #expect(record(read) == record(plan))
  }

  /// Tasks of MuJoCo accept the flags that change their scenes, and a file may have these settings for any environment.
  @Test func settingsOfScenes() throws {
    let text = "environment: {env: catch, renderer: sketch, shadows: false}"
    let plan = try withFile(text) { try CollectionFlags.parse(["--config", $0]).plan() }
    #expect(record(plan).contains("environment.renderer=sketch"))
    guard let task = Environments.all.first(where: { Environments.drawsScenes($0.id) }) else { return }
    let drawn = try CollectionFlags.parse(["--env", task.id, "--renderer", "sketch", "--no-shadows"]).plan()
    #expect(record(drawn).contains("environment.renderer=sketch"))
    #expect(record(drawn).contains("environment.shadows=false"))
  }

  /// Each setting is in the file only once.
  @Test func keysAreUnique() throws {
    for plan: any Plan in [
      try TrainingFlags.parse([]).plan(), try PretrainingFlags.parse([]).plan(), try CollectionFlags.parse([]).plan(),
    ] {
      let keys = plan.groups.flatMap { $0.record.map(\.key) }
      #expect(Set(keys).count == keys.count)
    }
  }

  @Test func flagsWinOverTheFileAndTheFileOverDefaults() throws {
    let text = "environment: {env: catch, size: 32}\nagent:\n  hidden: 64\n  batch: 32\ntraining: {seed: 9}"
    try withFile(text) { path in
      let settings = record(try TrainingFlags.parse(["--config", path, "--batch", "16"]).plan())
      for expected in [
        "environment.env=catch", "environment.size=32", "agent.agent=double-dqn", "agent.hidden=64", "agent.batch=16",
        "agent.tau=0.01", "training.seed=9",
      ] { #expect(settings.contains(expected), "\(expected)") }
      #expect(
        record(try TrainingFlags.parse(["--config", path, "--env", "catch", "--size", "40"]).plan()).contains(
          "environment.size=40"))
    }
  }

  /// A task's defaults override the general defaults. The file and the flags override the task's. They hold for the
  /// agent for which they were tuned.
  @Test func theFileOverridesATasksDefaults() throws {
    func training(_ arguments: String...) throws -> Set<String> {
      Set(record(try TrainingFlags.parse(["--env", "pendulum-swingup"] + arguments).plan()))
    }
    let own = [
      "training.return-steps=3", "training.explore-chance=0.2", "agent.initial-temperature=0.01",
      "agent.entropy-between=false",
    ]
    #expect(try training().isSuperset(of: own))
    let typed = try training("--return-steps", "2", "--initial-temperature", "1")
    #expect(typed.isSuperset(of: ["training.return-steps=2", own[1], "agent.initial-temperature=1", own[3]]))
    try withFile("agent: {entropy-between: true}\ntraining: {explore-chance: 0}") { path in
      let read = try training("--config", path)
      #expect(read.isSuperset(of: [own[0], "training.explore-chance=0", own[2], "agent.entropy-between=true"]))
      let both = try training("--config", path, "--explore-chance", "0.1")
      #expect(both.contains("training.explore-chance=0.1"))
    }
    // Task defaults that do not fit the agent are ignored.
    let onPolicy = try training("--agent", "ppo")
    #expect(onPolicy.isSuperset(of: ["training.explore-chance=0", "training.return-steps=3"]))
    // The critic of q-prop makes updates on batches. The arms of a sweep share settings that not all of them use.
    let critic = try training("--agent", "q-prop", "--updates-per-step", "2", "--return-steps", "2")
    #expect(critic.isSuperset(of: ["training.updates-per-step=2", "training.return-steps=2"]))
    let shared = ["env": "catch", "observe": "state", "agent": "ppo", "updates-per-step": "2"]
    #expect(try PointSettings().resolve(.train, shared).value(of: "updates-per-step") == "2")
    let kinds = try ["keypoint", "rae"].map { record(try PretrainingFlags.parse(["--kind", $0]).plan()) }
    #expect(kinds[0].contains("encoder.keypoints-alone=false") && !kinds[1].joined().contains("keypoints-alone"))
  }

  /// By default, even a short training has several evaluations.
  @Test func aShortTrainingIsEvaluatedOften() throws {
    func every(_ arguments: String...) throws -> [String] {
      record(try TrainingFlags.parse(arguments).plan()).filter { $0.contains(".evaluate-every") }
    }
    #expect(try every() == ["training.evaluate-every=10000"])
    #expect(try every("--env-steps", "8e3") == ["training.evaluate-every=1600"])
    #expect(try every("--env-steps", "60000") == ["training.evaluate-every=10000"])
    #expect(try every("--env-steps", "8000", "--evaluate-every", "4e3") == ["training.evaluate-every=4000"])
    try withFile("training: {env-steps: 8e3, evaluate-every: 1e4}") { path in
      let given = try every("--config", path)
      #expect(given == ["training.evaluate-every=10000"])
    }
  }

  /// The recorded settings are those that the run used: with the true state, no history by default.
  @Test func theTrueStateHasItsOwnDefaults() throws {
    func history(_ arguments: String...) throws -> [String] {
      record(try TrainingFlags.parse(arguments).plan()).filter { $0.contains(".history-") }
    }
    #expect(try history("--observe", "state") == ["training.history-frames=1", "training.history-actions=0"])
    #expect(
      try history("--observe", "state", "--history-frames", "4")
        == ["training.history-frames=4", "training.history-actions=0"])
    #expect(try history("--latent") == ["training.history-frames=3", "training.history-actions=2"])
  }

  /// An encoder of stacked frames shows velocities, but only one that the critic trains needs no history.
  @Test(arguments: [
    ("joint", 3, 2), ("joint --frame-stack 3", 1, 0), ("critic-only", 1, 0), ("critic-only --frame-stack 1", 3, 2),
    ("random --frame-stack 3", 3, 2), ("parallel --frame-stack 3", 3, 2),
  ])
  func stackedFramesThatTheCriticTrainsNeedNoHistory(_ place: String, frames: Int, actions: Int) throws {
    let words = ["--encoder"] + place.split(separator: " ").map(String.init)
    let history = record(try TrainingFlags.parse(words).plan()).filter { $0.contains(".history-") }
    #expect(history == ["training.history-frames=\(frames)", "training.history-actions=\(actions)"])
  }

  @Test(arguments: [
    ("agent: {agent: sca}", "unknown agent 'sca': did you mean 'sac'?"),
    ("agent: {layer-norm: true}", "agent: unknown setting 'layer-norm': choose from agent, hidden, critic-layer-norm,"),
    ("agent: {size: 3}", "agent: the setting 'size' belongs under 'environment:'"),
    ("autoencoders: {}", "unknown group of settings"),
    ("encoder: {observe: state, autoencoder: a}", "--observe state uses no autoencoder"),
    ("environment: {env: katch}", "unknown environment 'katch': did you mean 'catch'?"),
    ("training: {seed: -1}", "training: --seed takes a whole number of at least 0, not '-1'"),
  ])
  func aWrongFileIsRefused(text: String, reason: String) throws {
    try withFile(text) { path in
      let error = #expect(throws: InputError.self) { _ = try TrainingFlags.parse(["--config", path]).plan() }
      #expect(error?.description.contains(reason) == true, "\(error?.description ?? "")")
    }
  }

  /// The settings file of a run reproduces it exactly, even if a newer autoencoder exists.
  @Test func aRecordedRunIsReproduced() throws {
    try withProgram { program in
      func run(_ arguments: [String]) throws {
        let outcome = try program.run(arguments)
        #expect(outcome.code == 0, "\(arguments): \(outcome.error)")
      }
      func same(_ name: String, in runs: String...) throws {
        let files = try runs.map { try readBytes(from: "\(program.folder)/\($0)/\(name)") }
        #expect(files[0] == files[1] && !files[0].isEmpty, "\(name) of \(runs)")
      }
      let view = ["--env", "catch", "--size", "16"]
      let pretraining = ["--ae-steps", "2", "--ae-batch", "2", "--filters", "4", "--keypoints", "2", "--seed", "5"]
      let data = ["--collect-steps", "40", "--hold-limit", "3", "--probe-steps", "2", "--probe-frames", "300"]
      let quick = ["--hidden", "8", "--batch", "8", "--seed-updates", "1", "--updates-per-step", "0.1"]
      let short = ["--evaluation-episodes", "1", "--replay", "3000", "--seed", "6"]
      try run(["pretrain-ae", "--out", "runs/a"] + view + pretraining + data)
      try run(["pretrain-ae", "--config", "runs/a/settings.yaml", "--out", "b"])
      for name in ["metrics.jsonl", "settings.yaml", "autoencoder.safetensors"] {
        try same(name, in: "runs/a", "b")
      }
      try run(["train", "--out", "c", "--env-steps", "1200"] + view + quick + short)
      try run(["pretrain-ae", "--config", "b/settings.yaml", "--out", "runs/newer", "--seed", "8"])
      try run(["train", "--config", "c/settings.yaml", "--out", "d"])
      for name in ["metrics.jsonl", "settings.yaml", "agent.safetensors"] { try same(name, in: "c", "d") }
      let inputs = try JSON(parsing: readBytes(from: "\(program.folder)/d/run.json"))["inputs"]
      #expect(inputs?["autoencoder"]?["path"]?.text == "runs/a")
      // If the autoencoder's folder has another one now, there is a warning.
      let weights = try readBytes(from: "\(program.folder)/runs/newer/autoencoder.safetensors")
      try writeAtomically(weights, to: "\(program.folder)/runs/a/autoencoder.safetensors")
      let changed = try program("train", "--config", "c/settings.yaml", "--out", "g")
      #expect(changed.code == 0 && changed.output.contains("WARNING: runs/a has changed since c was made"))

      try run(["train", "--observe", "state", "--out", "e", "--env-steps", "2600"] + view + quick + short)
      try run(["train", "--config", "e/settings.yaml", "--out", "f"])
      for name in ["metrics.jsonl", "settings.yaml", "agent.safetensors"] { try same(name, in: "e", "f") }
    }
  }
}
