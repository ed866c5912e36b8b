import Agents
import Autoencoders
import Core
import Environments
import Formats
import Foundation
import Representations
import Runs
import Testing

@testable import Training

@Suite struct ReplayExportTests {
  @Test func theReplayBufferIsExportedAsNPZ() throws {
    try withFolder { folder in
      var training = TrainingSettings()
      (training.envSteps, training.replay, training.evaluationEpisodes, training.environments) = (60, 40, 1, 2)
      training.updatesPerStep = 0
      let work = TrainingRun(
        Catch(), DoubleDQN.self, through: TrueState(Catch.spec), agent: .init(), episode: .init(),
        training: training, first: nil, seed: Seed(1))
      let run = try RunDirectory(
        at: "\(folder)/run",
        .init(command: "train", environment: "catch", member: "d", seed: 1, commandLine: [], version: "0"),
        settings: work.groups)
      #expect(throws: InputError.self) { try SavedReplay(of: run) }
      _ = try work.run(in: run)

      let replay = try SavedReplay(of: run)
      // Two full lanes of 20 slots; an episode of catch takes ten.
      #expect(replay.contents.count == 40 && replay.step == 60)
      #expect(replay.contents.first.reduce(0) { $0 + Int($1) } == 4)
      try replay.write(to: "\(folder)/replay.npz")
      let archive = try NumPyArchive(path: "\(folder)/replay.npz")
      let latents = try archive.array("latents", of: Float.self)
      #expect(latents.shape == [40, 3] && latents.elements == replay.contents.latents)
      let (rewards, transitions) = (
        try archive.array("rewards", of: Float.self).elements, try archive.array("transition", of: UInt8.self).elements
      )
      // The reward is nonzero only in the last transition of each episode.
      for i in 0..<40 where rewards[i] != 0 { #expect(transitions[i] == 1 && transitions[(i + 1) % 40] == 0) }
      #expect(rewards.contains { $0 != 0 })
      #expect(throws: InputError.self) { try replay.write(to: "\(folder)/replay.npz") }
    }
  }

  /// Where the encoder learns at each update, there are frames and no latents to export.
  @Test func aReplayBufferWithoutLatentsIsNoNPZ() throws {
    try withFolder { folder in
      let episode = smallEpisode(timeLimit: 60)
      let first = try collect(CartPoleSwingup(), episode, collectionSettings(12), seed: Seed(1))
      var (pretraining, model) = (PretrainingSettings(), KeypointAutoencoder.Settings())
      (pretraining.steps, pretraining.batch, model.keypoints, model.filters) = (1, 4, 4, 4)
      var learner = try Pretraining(
        KeypointAutoencoder.self, on: first, modelSettings: model, settings: pretraining, seed: Seed(1))
      _ = try learner.update()
      var (agent, training) = (SAC.Settings(), TrainingSettings())
      (agent.hidden, agent.batch) = (4, 4)
      (training.envSteps, training.replay, training.evaluationEpisodes) = (first.environmentSteps + 40, 100, 1)
      let work = TrainingRun(
        CartPoleSwingup(), SAC.self,
        through: EncodedFrames(
          try learner.finished(), place: .parallel, settings: EncoderSettings(), pretraining: pretraining, seed: Seed(3)
        ),
        agent: agent, episode: episode, training: training, first: first, seed: Seed(1))
      let run = try RunDirectory(
        at: "\(folder)/run",
        .init(
          command: "train", environment: "cartpole-swingup", member: "sac", seed: 1, commandLine: [], version: "0"),
        settings: work.groups)
      _ = try work.run(in: run)
      let replay = try SavedReplay(of: run)
      let error = #expect(throws: InputError.self) { try replay.write(to: "\(folder)/replay.npz") }
      #expect(error?.description.contains("use --dataset") ?? false)
      #expect(try FileManager.default.contentsOfDirectory(atPath: folder) == ["run"])
      try replay.writeDataset(to: "\(folder)/frames")
      #expect(try FrameDataset(path: "\(folder)/frames").count == replay.contents.count)
    }
  }
}
