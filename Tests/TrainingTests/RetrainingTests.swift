import Agents
import Autoencoders
import Core
import Environments
import Pixels
import Replay
import Representations
import Tensors
import Testing

@testable import Training

/// Rounds of training the autoencoder further while the agent learns.
@Suite struct RetrainingTests {
  private func representation(_ rounds: Int?) throws -> EncodedFrames<KeypointAutoencoder> {
    let recording = try collect(CartPoleSwingup(), smallEpisode(), collectionSettings(20), seed: Seed(1))
    var (settings, model) = (PretrainingSettings(), KeypointAutoencoder.Settings())
    (settings.steps, settings.batch) = (4, 8)
    (model.keypoints, model.filters) = (4, 8)
    var training = try Pretraining(
      KeypointAutoencoder.self, on: recording, modelSettings: model, settings: settings, seed: Seed(1))
    _ = try training.update()
    var encoder = EncoderSettings()
    (encoder.retrainRounds, encoder.retrainEvery, encoder.retrainSteps) = (rounds ?? 0, 160, 4)
    return EncodedFrames(
      try training.finished(), place: rounds == nil ? .frozen : .rounds, settings: encoder, pretraining: settings,
      seed: Seed(5))
  }

  private func trainer(rounds: Int?) throws
    -> Trainer<CartPoleSwingup, SAC, EncodedFrames<KeypointAutoencoder>>
  {
    var (agent, settings) = (SAC.Settings(), TrainingSettings())
    (agent.hidden, agent.batch) = (16, 8)
    (settings.environments, settings.updatesPerStep, settings.replay) = (2, 0.5, 200)
    var trainer = try Trainer(
      CartPoleSwingup(), SAC.self, through: try representation(rounds), agentSettings: agent,
      episodeSettings: smallEpisode(timeLimit: 64), settings: settings, seed: Seed(5))
    trainer.seed(
      with: try collect(
        CartPoleSwingup(), smallEpisode(), collectionSettings(120, episodeSteps: 9), seed: Seed(2)))
    return trainer
  }

  /// Ten steps of two environments are 160 simulator steps: rounds after 10 and 20.
  @Test func roundsHappenOnlyWhenTheyAreDue() throws {
    var trainer = try trainer(rounds: 2)
    var rounds: [Int] = []
    for step in 1...45 {
      try trainer.step { if $0["autoencoder/loss"] != nil { rounds.append(step) } }
    }
    #expect(rounds == [10, 20])
  }

  /// After a round, the replay buffer has the latents of the new encoder.
  @Test func theReplayBufferIsEncodedAgain() throws {
    var trainer = try trainer(rounds: 1)
    let before = trainer.representation.encoder
    for _ in 0..<10 { try trainer.step { _ in } }
    let after = trainer.representation.encoder
    #expect(before.mean.array == after.mean.array && before.deviation.array == after.deviation.array)
    #expect(before.model.parameters.map { $0.value.array } != after.model.parameters.map { $0.value.array })

    // The oldest first data in lane 0 were overwritten, as it has 100 slots. The rest is identified by its rewards.
    let recording = try collect(
      CartPoleSwingup(), smallEpisode(), collectionSettings(120, episodeSteps: 9), seed: Seed(2))
    let latents = after.encodeAll(recording)
    var rows: [Float: [Float]] = [:]
    for i in 0..<recording.count {
      if let step = recording.steps[i] { rows[Float(step.reward)] = latents.rows(i..<i + 1).array }
    }
    var random = Seed(1).stream("draws")
    let batch = try trainer.replay.sample(200, using: &random)
    var known = 0
    for b in 0..<200 {
      guard let expected = rows[batch.reward.array[b]] else { continue }
      known += 1
      let found = batch.observation.rows(b..<b + 1).columns(0..<8).array
      for (x, y) in zip(found, expected) { #expect(abs(x - y) < 1e-4) }
    }
    #expect(known > 50)
  }

  /// After a round, the agent acts on the same observations, with their history, as the replay buffer has.
  @Test func runningEpisodesContinueWithTheNewLatents() throws {
    var trainer = try trainer(rounds: 1)
    for _ in 0..<10 { try trainer.step { _ in } }
    try trainer.step { _ in }
    let observations = trainer.state.play.observation([0, 1])
    let acting = (0..<2).map { observations.rows($0..<$0 + 1).array }
    try trainer.step { _ in }
    var random = Seed(1).stream("draws")
    let batch = try trainer.replay.sample(3000, using: &random)
    let stored = Set((0..<3000).map { batch.observation.rows($0..<$0 + 1).array })
    for observation in acting { #expect(stored.contains(observation)) }
  }

  @Test func aFrozenEncoderHasNoRounds() throws {
    #expect(EncoderSettings().place == "frozen")
    func metrics(_ rounds: Int?) throws -> [[Double]] {
      var trainer = try trainer(rounds: rounds)
      var all: [[Double]] = []
      for _ in 0..<15 { try trainer.step { all.append($0.entries.map(\.value)) } }
      return all
    }
    let plain = try metrics(nil)
    #expect(try metrics(nil) == plain)
    #expect(try metrics(3) == metrics(3))
    #expect(try metrics(3) != plain)
  }
}
