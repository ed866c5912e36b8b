import Agents
import Core
import Environments
import Foundation
import Networks
import Pixels
import Replay
import Representations
import Runs
import Tensors
import Testing

@testable import Training

/// Replaces a value by one that is not finite, from the ninth episode on.
private protocol Spoiling: Sendable {
  static var id: String { get }
  static func spoil(_ reward: inout Double, _ observation: inout [Double])
}

private enum Nothing: Spoiling {
  static var id: String { "sound" }
  static func spoil(_ reward: inout Double, _ observation: inout [Double]) {}
}

private enum Reward: Spoiling {
  static var id: String { "spoiled-reward" }
  static func spoil(_ reward: inout Double, _ observation: inout [Double]) { reward = .nan }
}

private enum Observed: Spoiling {
  static var id: String { "spoiled-observation" }
  static func spoil(_ reward: inout Double, _ observation: inout [Double]) { observation[1] = -.infinity }
}

/// `catch` whose rewards or observations are not finite from the ninth episode on.
private struct Spoiled<Kind: Spoiling>: BuiltInEnvironment {
  static var id: String { Kind.id }
  static var note: String { "catch with something spoiled from the ninth episode on" }
  static var actionSpace: ActionSpace { Catch.actionSpace }
  static var episodeLength: Int { Catch.episodeLength }
  static var stateNames: [String] { Catch.stateNames }
  static var observationNames: [String] { Catch.observationNames }

  private var inner = Catch()
  private var episodes = 0

  mutating func reset(using random: inout Random) {
    inner.reset(using: &random)
    episodes += 1
  }

  mutating func step(_ action: [Double]) -> Step {
    var (step, ignored) = (inner.step(action), observation)
    if episodes > 8 { Kind.spoil(&step.reward, &ignored) }
    return step
  }

  func render(into frame: inout PixelBuffer) { inner.render(into: &frame) }
  var state: [Double] {
    get { inner.state }
    set { inner.state = newValue }
  }
  var observation: [Double] {
    var (ignored, observation) = (0.0, inner.observation)
    if episodes > 8 { Kind.spoil(&ignored, &observation) }
    return observation
  }
}

/// Double DQN whose gradient, and so its parameters, are NaN after the 40th update.
private struct Poisoned: Agent {
  static var id: String { "poisoned" }
  static var note: String { "double DQN with a poisoned gradient" }
  static func accepts(_ actionSpace: ActionSpace) -> Bool { true }
  typealias Settings = DoubleDQN.Settings

  private var inner: DoubleDQN
  private var updates = 0

  init(observationSize: Int, actionSpace: ActionSpace, settings: Settings, seed: Seed) {
    inner = DoubleDQN(observationSize: observationSize, actionSpace: actionSpace, settings: settings, seed: seed)
  }

  var settings: DoubleDQN.Settings { inner.settings }
  func value(_ observation: Tensor) -> Tensor { inner.value(observation) }
  mutating func act(_ observation: Tensor, _ behavior: Behavior) -> Tensor { inner.act(observation, behavior) }
  mutating func update(_ batch: Batch) -> Lesson {
    updates += 1
    var batch = batch
    let lesson = inner.update(batch)
    guard updates == 40 else { return lesson }
    batch.reward = Tensor(repeating: .nan, batch.reward.shape)
    _ = inner.update(batch)
    return lesson
  }
  mutating func visit(_ visitor: inout some ParameterVisitor) { visitor("inner", &inner) }
}

@Suite struct NotFiniteTests {
  private func failure<E: BuiltInEnvironment, A: Agent>(
    _ environment: E.Type = Spoiled<Reward>.self, _ kind: A.Type = DoubleDQN.self, evaluateEvery: Int,
    checkpointEvery: Int = 0, in folder: String
  ) -> NotFinite? where A.Settings == DoubleDQN.Settings {
    var (training, agent) = (TrainingSettings(), DoubleDQN.Settings())
    training.envSteps = 500
    (training.evaluateEvery, training.checkpointEvery, training.keepCheckpoints) = (evaluateEvery, checkpointEvery, 100)
    training.evaluationEpisodes = 1
    training.replay = 1000
    (agent.hidden, agent.batch) = (8, 64)
    let run = TrainingRun(
      E(), A.self, through: TrueState(E.spec), agent: agent, episode: EpisodeSettings(),
      training: training, first: nil, seed: Seed(1))
    return #expect(throws: NotFinite.self) {
      try run.run(
        in: RunDirectory(
          at: folder,
          .init(command: "train", environment: E.id, member: "d", seed: 1, commandLine: [], version: "0"),
          settings: run.groups))
    }
  }

  @Test func theLastGoodCheckpointIsNamed() throws {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString).path
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let error = try #require(failure(evaluateEvery: 30, in: folder))
    // Nine steps per episode: not finite from step 73 on.
    #expect(error.quantity == "the reward of spoiled-reward" && error.step == 73)
    #expect(error.checkpoint?.hasPrefix("\(folder)/agent.safetensors of step ") == true)
    #expect(error.description.contains("at step \(error.step)") && !error.description.contains("\n"))
    let saved = try readBytes(from: "\(folder)/agent.safetensors")
    #expect(!saved.isEmpty)
    #expect(!exists("\(folder)/summary.json"))
  }

  @Test func theErrorSaysIfThereIsNoCheckpoint() throws {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString).path
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let error = try #require(failure(evaluateEvery: 0, in: folder))
    #expect(error.checkpoint == nil)
    #expect(error.description.contains("no checkpoint had been written yet"))
  }

  /// Weights on disk are finite, whatever value is not.
  @Test func savedWeightsAreFinite() throws {
    func check<E: BuiltInEnvironment, A: Agent>(_ environment: E.Type, _ kind: A.Type, _ quantity: String) throws
    where A.Settings == DoubleDQN.Settings {
      try withFolder { folder in
        let error = try #require(failure(E.self, A.self, evaluateEvery: 20, checkpointEvery: 10, in: folder))
        #expect(error.quantity.hasPrefix(quantity), "\(error)")
        let weights = try Safetensors(contentsOf: "\(folder)/agent.safetensors").tensors
        #expect(!weights.isEmpty)
        #expect(weights.allSatisfy { $0.value.isFinite })
        let names = try folderEntries("\(folder)/checkpoints")
        #expect(names.count >= 3)
        for name in names {
          let checkpoint = try Checkpoint(path: "\(folder)/checkpoints/\(name)")
          let state = try decoded(SavedState<A>.self, from: checkpoint, "trainer.plist").state
          #expect(state.agent.parameters.allSatisfy { $0.value.isFinite }, "\(name)")
        }
      }
    }
    try check(Spoiled<Reward>.self, DoubleDQN.self, "the reward")
    try check(Spoiled<Observed>.self, DoubleDQN.self, "the observation")
    try check(Spoiled<Nothing>.self, Poisoned.self, "")
  }
}

/// The agent within a trainer's checkpoint.
private struct SavedState<A: Agent>: Decodable {
  struct State: Decodable { let agent: A }
  let state: State
}
