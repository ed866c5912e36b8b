import Agents
import Autoencoders
import Core
import Environments
import Foundation
import Pixels
import Replay
import Representations
import Runs
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

  /// Ten steps of two environments are 160 simulator steps: rounds at the beginning of steps 11 and 21.
  @Test func roundsHappenOnlyWhenTheyAreDue() throws {
    var trainer = try trainer(rounds: 2)
    var rounds: [Int] = []
    for step in 1...45 {
      try trainer.step { if $0["autoencoder/loss"] != nil { rounds.append(step) } }
    }
    #expect(rounds == [11, 21])
  }

  /// After a round, the replay buffer has the latents of the new encoder.
  @Test func theReplayBufferIsEncodedAgain() throws {
    var trainer = try trainer(rounds: 1)
    let before = trainer.representation.encoder
    for _ in 0..<11 { try trainer.step { _ in } }
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

  /// The agent that the step of a round leaves is evaluated and saved with the encoder that it learned with. A round after
  /// the last step could only harm it.
  @Test func noRoundComesAfterTheLastStep() throws {
    try withFolder { folder in
      func encoderHasMoved(_ steps: Int) throws -> Bool {
        var (agent, training) = (SAC.Settings(), TrainingSettings())
        (agent.hidden, agent.batch) = (16, 8)
        (training.envSteps, training.environments, training.replay) = (steps, 2, 200)
        (training.updatesPerStep, training.evaluateEvery, training.evaluationEpisodes) = (0, 0, 1)
        let work = TrainingRun(
          CartPoleSwingup(), SAC.self, through: try representation(1), agent: agent,
          episode: smallEpisode(timeLimit: 64), training: training, first: nil, seed: Seed(5))
        let facts = RunDirectory.Facts(
          command: "train", environment: "c", member: "sac", seed: 5, commandLine: ["pixelrl"], version: "1", why: "")
        let run = try RunDirectory(at: "\(folder)/\(steps)", facts, settings: work.groups)
        _ = try work.run(in: run)
        return exists(run.file("autoencoder.safetensors"))
      }
      let moved = try [160, 176].map(encoderHasMoved)
      #expect(moved == [false, true])
    }
  }

  /// After a round the observations of an unfinished rollout are no longer those that its actions were chosen by.
  @Test func aRoundBeginsTheRolloutOfAnOnPolicyAgentAnew() throws {
    func updates(_ rounds: Int?) throws -> [Int] {
      var (agent, settings) = (PPO.Settings(), TrainingSettings())
      (agent.hidden, agent.horizon, agent.passes) = (8, 8, 1)
      (settings.environments, settings.replay) = (2, 200)
      var trainer = try Trainer(
        CartPoleSwingup(), PPO.self, through: try representation(rounds), agentSettings: agent,
        episodeSettings: smallEpisode(timeLimit: 64), settings: settings, seed: Seed(5))
      var steps: [Int] = []
      for step in 1...20 { try trainer.step { if $0[Lesson.criticLoss] != nil { steps.append(step) } } }
      return steps
    }
    #expect(try updates(nil) == [8, 16])
    #expect(try updates(1) == [8, 18])
  }

  /// A signal ends a round while the encoder learns or the frames are encoded again. The round is then repeated.
  @Test func aSignalInARoundLeavesNoTraceOfIt() throws {
    var whole = try trainer(rounds: 1)
    var interrupted = try trainer(rounds: 1)
    for _ in 0..<10 {
      try whole.step { _ in }
      try interrupted.step { _ in }
    }
    let before = interrupted.representation.encoder.model.parameters.map { $0.value.array }
    // Four updates of the encoder, then two lanes.
    for count in 0...5 {
      var (calls, reason): (Int, (any Error)?) = (0, nil)
      do {
        let stop = {
          if calls == count { throw Interrupted(signal: SIGTERM) }
          calls += 1
        }
        try interrupted.step(report: { _ in }, check: stop)
      } catch let failure as StepFailed { reason = failure.reason }
      #expect(reason is Interrupted, "after \(count) checks")
      #expect(interrupted.representation.encoder.model.parameters.map { $0.value.array } == before)
      #expect(interrupted.envSteps == whole.envSteps && interrupted.representation.revision == 0)
    }
    for _ in 0..<5 {
      var metrics: [[UInt64]] = [[], []]
      try whole.step { metrics[0] += $0.entries.map(\.value.bitPattern) }
      try interrupted.step { metrics[1] += $0.entries.map(\.value.bitPattern) }
      #expect(metrics[0] == metrics[1] && !metrics[0].isEmpty)
    }
    #expect(interrupted.representation.revision == 1)
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
