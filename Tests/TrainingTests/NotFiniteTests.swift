import Agents
import Core
import Environments
import Foundation
import Pixels
import Runs
import Testing

@testable import Training

/// `catch` whose rewards are not numbers from a step of the process on.
private struct Spoiled: Environment {
  static var id: String { "spoiled" }
  static var note: String { "catch whose reward is NaN where the ball starts at the right" }
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
    var step = inner.step(action)
    if episodes > 8 { step.reward = .nan }
    return step
  }

  func render(into frame: inout PixelBuffer) { inner.render(into: &frame) }
  var state: [Double] {
    get { inner.state }
    set { inner.state = newValue }
  }
  var observation: [Double] { inner.observation }
}

@Suite struct NotFiniteTests {
  private func failure(evaluateEvery: Int, in folder: String) -> NotFinite? {
    var (training, agent) = (TrainingSettings(), DoubleDQN.Settings())
    training.envSteps = 500
    training.evaluateEvery = evaluateEvery
    training.evaluationEpisodes = 1
    training.replay = 1000
    (agent.hidden, agent.batch) = (8, 64)
    let run = TrainingRun(
      Spoiled.self, DoubleDQN.self, through: StateObserver(Spoiled.self), agent: agent, episode: EpisodeSettings(),
      training: training, first: nil, seed: Seed(1))
    return #expect(throws: NotFinite.self) {
      try run.run(
        in: RunDirectory(
          at: folder,
          .init(command: "train", environment: Spoiled.id, member: "d", seed: 1, commandLine: [], version: "0"),
          settings: run.groups))
    }
  }

  @Test func theLastGoodCheckpointIsNamed() throws {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString).path
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let error = try #require(failure(evaluateEvery: 30, in: folder))
    // Nine steps an episode: spoiled from step 73 on.
    #expect(error.quantity == "the reward of spoiled" && error.step == 73)
    #expect(error.checkpoint?.hasPrefix("\(folder)/agent.safetensors of step ") == true)
    #expect(error.description.contains("at step \(error.step)") && !error.description.contains("\n"))
    let saved = try readBytes(from: "\(folder)/agent.safetensors")
    #expect(!saved.isEmpty)
    #expect(!exists("\(folder)/summary.json"))
  }

  @Test func withoutACheckpointThatIsSaid() throws {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString).path
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let error = try #require(failure(evaluateEvery: 0, in: folder))
    #expect(error.checkpoint == nil)
    #expect(error.description.contains("no checkpoint had been written yet"))
  }
}
