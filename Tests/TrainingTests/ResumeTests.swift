import Agents
import Autoencoders
import Core
import Environments
import Formats
import Foundation
import Pixels
import Representations
import Runs
import Testing

@testable import Training

private func facts(_ command: String, _ environment: String) -> RunDirectory.Facts {
  RunDirectory.Facts(
    command: command, environment: environment, member: "m", seed: 1, commandLine: ["pixelrl"], version: "test")
}

/// Copies a run as if it had been killed right after its checkpoint number `count`.
private func cut(_ run: RunDirectory, after count: Int, to path: String) throws -> RunDirectory {
  try FileManager.default.copyItem(atPath: run.path, toPath: path)
  try? FileManager.default.removeItem(atPath: "\(path)/summary.json")
  for name in try folderEntries("\(path)/checkpoints").dropFirst(count) {
    try FileManager.default.removeItem(atPath: "\(path)/checkpoints/\(name)")
  }
  return try RunDirectory(existing: path)
}

private func expectTheSame(_ names: [String], _ a: RunDirectory, _ b: RunDirectory) throws {
  for name in names {
    let isTheSame = try readBytes(from: a.file(name)) == readBytes(from: b.file(name))
    #expect(isTheSame, "\(name) of \(b.path)")
  }
}

/// Frames whose collection takes a second and a half.
private struct SlowFrames: FrameOrigin {
  var played: PlayedFrames<CartPoleSwingup>

  var id: String { played.id }
  var episode: EpisodeSettings { played.episode }
  var groups: [any SettingsGroup] { played.groups }
  var isImported: Bool { false }
  var dataset: FrameDataset? { played.dataset }

  func reading(_ dataset: FrameDataset?) -> Self { SlowFrames(played: played.reading(dataset)) }
  func check(_ pretraining: PretrainingSettings) throws { try played.check(pretraining) }
  func frames(in directory: RunDirectory, seed: Seed, say: (String) throws -> Void) throws -> Recording {
    if !exists(directory.file("dataset")) { usleep(1_500_000) }
    return try played.frames(in: directory, seed: seed, say: say)
  }
  func probeFrames(_ pretraining: PretrainingSettings, seed: Seed) throws -> ProbeFrames {
    try played.probeFrames(pretraining, seed: seed)
  }
}

@Suite struct ResumeTests {
  private func train<E: BuiltInEnvironment, A: Agent, R: Representation>(
    _ environment: E.Type, _ agent: A.Type, through representation: R, _ settings: A.Settings,
    first: Recording? = nil, environments: Int = 2, exploreChance: Double = 0, episode: EpisodeSettings
  ) throws {
    var training = TrainingSettings()
    (training.envSteps, training.environments, training.replay) = (700, environments, 160)
    (training.evaluateEvery, training.evaluationEpisodes, training.seedUpdates) = (300, 2, 5)
    (training.checkpointEvery, training.keepCheckpoints, training.updatesPerStep) = (150, 100, 0.3)
    (training.exploreChance, training.returnSteps) = (exploreChance, 3)
    let work = TrainingRun(
      E(), A.self, through: representation, agent: settings, episode: episode, training: training, first: first,
      seed: Seed(3))
    try withFolder { folder in
      let whole = try RunDirectory(at: "\(folder)/whole", facts("train", E.id), settings: work.groups)
      let outcome = try work.run(in: whole)
      let steps = try folderEntries(whole.file("checkpoints"))
      #expect(steps.count >= 3)
      for count in 0..<steps.count {
        let rest = try cut(whole, after: count, to: "\(folder)/after-\(count)")
        var lines: [String] = []
        let again = try work.run(in: rest) { lines.append($0) }
        #expect(lines.contains { $0.hasPrefix("resuming from step") } == (count > 0))
        try expectTheSame(["metrics.jsonl", "agent.safetensors"], whole, rest)
        func lasting(_ outcome: [JSON.Member]) -> [JSON.Member] {
          outcome.filter { !["seconds", "checkpoints"].contains($0.key) }
        }
        #expect(lasting(again) == lasting(outcome))
      }
    }
  }

  private func sac() -> SAC.Settings {
    var settings = SAC.Settings()
    (settings.hidden, settings.batch) = (16, 8)
    return settings
  }

  @Test func trainingFromTheStateResumesBitExactly() throws {
    var settings = DoubleDQN.Settings()
    (settings.hidden, settings.batch) = (16, 8)
    var episode = EpisodeSettings()
    (episode.stickyActions, episode.flicker) = (0.2, 0.2)
    try train(
      Catch.self, DoubleDQN.self, through: TrueState(Catch.spec), settings, exploreChance: 0.2, episode: episode)
    try train(
      CartPoleSwingup.self, SAC.self, through: TrueState(CartPoleSwingup.spec), sac(),
      exploreChance: 0.2, episode: smallEpisode(timeLimit: 200))
    try train(
      PendulumSwingup.self, SAC.self, through: TrueState(PendulumSwingup.spec), sac(), environments: 1,
      episode: smallEpisode(timeLimit: 90))
  }

  /// Priorities, noise and the delay of actor updates are restored too.
  @Test func offPolicyTrainingResumesBitExactly() throws {
    var rainbow = Rainbow.Settings()
    (rainbow.hidden, rainbow.batch, rainbow.importanceUpdates) = (16, 8, 150)
    try train(Catch.self, Rainbow.self, through: TrueState(Catch.spec), rainbow, episode: EpisodeSettings())
    var td3 = TD3.Settings()
    (td3.hidden, td3.batch, td3.actorPeriod) = (16, 8, 3)
    try train(
      CartPoleSwingup.self, TD3.self, through: TrueState(CartPoleSwingup.spec), td3,
      episode: smallEpisode(timeLimit: 200))
    var actorCritic = OffPolicyActorCritic.Settings()
    (actorCritic.hidden, actorCritic.batch) = (16, 8)
    try train(
      Catch.self, OffPolicyActorCritic.self, through: TrueState(Catch.spec), actorCritic,
      episode: EpisodeSettings())
    // Updates of critics and policy, and of the encoder, are both interrupted.
    var mrq = MRQ.Settings()
    (mrq.hidden, mrq.batch, mrq.period) = (16, 8, 7)
    try train(Catch.self, MRQ.self, through: TrueState(Catch.spec), mrq, episode: EpisodeSettings())
    var qProp = QProp.Settings()
    (qProp.hidden, qProp.batch, qProp.horizon) = (16, 8, 12)
    try train(Catch.self, QProp.self, through: TrueState(Catch.spec), qProp, episode: EpisodeSettings())
  }

  /// An unfinished rollout, the workers' copies and all estimates are restored too.
  @Test func onPolicyTrainingResumesBitExactly() throws {
    var workers = ActorCritic.Settings()
    (workers.hidden, workers.batchHorizon, workers.workers) = (16, 7, 2)
    try train(
      CartPoleSwingup.self, ActorCritic.self, through: TrueState(CartPoleSwingup.spec), workers, environments: 3,
      episode: smallEpisode(timeLimit: 90))
    var episodes = Reinforce.Settings()
    (episodes.hidden, episodes.horizon) = (16, 20)
    try train(
      Catch.self, Reinforce.self, through: TrueState(Catch.spec), episodes, episode: EpisodeSettings())
    var trust = TRPO.Settings()
    (trust.hidden, trust.horizon) = (16, 12)
    try train(
      PendulumSwingup.self, TRPO.self, through: TrueState(PendulumSwingup.spec), trust,
      episode: smallEpisode(timeLimit: 90))
  }

  @Test(arguments: Places.all) func trainingOnLatentsResumesBitExactly(_ place: Place) throws {
    var episode = smallEpisode(size: FrameSize(width: 24, height: 16), timeLimit: 160)
    for path in [\DistractionLevels.background, \.colors, \.camera] { episode.distractions[keyPath: path] = .medium }
    let first = try collect(CartPoleSwingup(), episode, collectionSettings(12), seed: Seed(1))
    var (pretraining, model) = (PretrainingSettings(), KeypointAutoencoder.Settings())
    (pretraining.steps, pretraining.batch, pretraining.actionWeight) = (3, 4, 0.5)
    (pretraining.nextFrame, pretraining.latentNoise.deviation) = (0.5, 0.1)
    (model.keypoints, model.filters) = (4, 8)
    var learner = try Pretraining(
      KeypointAutoencoder.self, on: first, modelSettings: model, settings: pretraining, seed: Seed(1))
    while !learner.isDone { _ = try learner.update() }
    var encoder = EncoderSettings()
    (encoder.retrainRounds, encoder.retrainEvery, encoder.retrainSteps) = (2, 250, 3)
    (encoder.tau, encoder.period) = (0.5, 2)
    try train(
      CartPoleSwingup.self, SAC.self,
      through: EncodedFrames(
        try learner.finished(), place: place, settings: encoder, pretraining: pretraining, seed: Seed(3)), sac(),
      first: first, episode: episode)
  }

  /// - Parameter other: the weight of predicting actions, that of the next frame, noise and dropout.
  @Test(arguments: [FrameSampling.uniform, .error], [0, 0.5])
  func pretrainingResumesBitExactly(_ sampling: FrameSampling, _ other: Double) throws {
    try withFolder { folder in
      var (pretraining, model) = (PretrainingSettings(), RegularizedAutoencoder.Settings())
      (pretraining.steps, pretraining.batch, pretraining.sampling) = (25, 4, sampling)
      (pretraining.actionWeight, pretraining.nextFrame) = (other, other)
      (pretraining.latentNoise.deviation, pretraining.latentNoise.dropout) = (other, other / 2)
      (pretraining.probeFrames, pretraining.probeSteps) = (40, 5)
      (pretraining.checkpointEvery, pretraining.keepCheckpoints) = (10, 100)
      (model.latent, model.filters) = (6, 4)
      let work = PretrainingRun(
        CartPoleSwingup(), RegularizedAutoencoder.self,
        episode: smallEpisode(size: FrameSize(width: 16, height: 24), timeLimit: 160),
        collection: collectionSettings(30), pretraining: pretraining, model: model, seed: Seed(1))
      let whole = try RunDirectory(at: "\(folder)/whole", facts("pretrain-ae", "c"), settings: work.groups)
      _ = try work.run(in: whole) { _ in }
      let steps = try folderEntries(whole.file("checkpoints"))
      #expect(steps == ["checkpoint-000001", "checkpoint-000002", "checkpoint-000003"])
      for count in 0...steps.count {
        let rest = try cut(whole, after: count, to: "\(folder)/after-\(count)")
        if count == 0 { try FileManager.default.removeItem(atPath: rest.file("dataset")) }
        _ = try work.run(in: rest) { _ in }
        try expectTheSame(["metrics.jsonl", "autoencoder.safetensors", "autoencoder.json"], whole, rest)
      }
    }
  }

  /// The seconds of a resumed pretraining include those in which the process before it collected frames.
  @Test func secondsIncludeTheCollectionOfFrames() throws {
    try withFolder { folder in
      var (pretraining, model) = (PretrainingSettings(), RegularizedAutoencoder.Settings())
      (pretraining.steps, pretraining.batch, pretraining.checkpointEvery) = (4, 4, 2)
      (pretraining.probeFrames, pretraining.probeSteps, pretraining.keepCheckpoints) = (40, 5, 100)
      (model.latent, model.filters) = (6, 4)
      let work = PretrainingRun(
        SlowFrames(
          played: PlayedFrames(of: CartPoleSwingup(), smallEpisode(timeLimit: 160), collectionSettings(30))),
        RegularizedAutoencoder.self, pretraining: pretraining, model: model, seed: Seed(1))
      let whole = try RunDirectory(at: "\(folder)/whole", facts("pretrain-ae", "c"), settings: work.groups)
      #expect(try work.run(in: whole) { _ in }["seconds"]?.double ?? 0 >= 1.5)
      let rest = try cut(whole, after: 1, to: "\(folder)/rest")
      let start = ContinuousClock.now
      let seconds = try work.run(in: rest) { _ in }["seconds"]?.double ?? 0
      #expect(seconds - (ContinuousClock.now - start) / .seconds(1) > 1)
    }
  }

  /// The untrained agent and a random player are evaluated first, without any effect on the training.
  @Test func evaluatingBeforeTrainingDoesNotChangeIt() throws {
    var settings = DoubleDQN.Settings()
    (settings.hidden, settings.batch) = (16, 8)
    let first = try collect(Catch(), EpisodeSettings(), collectionSettings(40), seed: Seed(1))
    try withFolder { folder in
      func run(_ every: Int) throws -> (run: RunDirectory, outcome: [JSON.Member]) {
        var training = TrainingSettings()
        (training.envSteps, training.replay, training.seedUpdates) = (1400, 400, 5)
        (training.evaluateEvery, training.evaluationEpisodes, training.updatesPerStep) = (every, 6, 0.3)
        let work = TrainingRun(
          Catch(), DoubleDQN.self, through: TrueState(Catch.spec), agent: settings, episode: .init(),
          training: training, first: first, seed: Seed(3))
        let run = try RunDirectory(at: "\(folder)/\(every)", facts("train", Catch.id), settings: work.groups)
        return (run, try work.run(in: run))
      }
      let (with, without) = (try run(500), try run(0))
      try expectTheSame(["agent.safetensors"], with.run, without.run)
      func lines(_ run: RunDirectory) throws -> [Substring] {
        try String(contentsOfFile: run.file("metrics.jsonl"), encoding: .utf8).split(separator: "\n")
      }
      let (all, bare) = try (lines(with.run), lines(without.run))
      #expect(all.filter { !$0.contains("evaluation/") } == bare.filter { !$0.contains("evaluation/") })
      #expect(all.first?.hasPrefix(#"{"step":0,"evaluation/return":"#) == true && all.last == bare.last)

      let baseline = try #require(try with.run.baseline())
      #expect(
        baseline.returns.count == 6 && baseline.returns.allSatisfy { abs($0) == 1 }
          && baseline.lengths == .init(repeating: 9, count: 6))
      #expect(baseline.returnRange == -1...1)
      #expect(try without.run.baseline() == Baseline(returnRange: -1...1), "no evaluations, so no random play")
      let outcome = JSON.object(with.outcome)
      #expect(outcome["return_random"]?.double == baseline.mean)
      let steps = outcome["evaluations"]?.array?.compactMap { $0.array?.first?.int } ?? []
      #expect(steps == [0, 500, 1000, 1400])
      // The mean return leaves out the evaluation of the untrained agent.
      let last = (outcome["evaluations"]?.array ?? []).suffix(3).compactMap { $0.array?.last?.double }
      #expect(abs((outcome["return_mean"]?.double ?? .nan) - last.mean) < 1e-12)
    }
  }

  @Test func theRandomPlayerHasTheEvaluationsStartStates() throws {
    let baseline = try Baseline(in: CartPoleSwingup(), smallEpisode(timeLimit: 80), episodes: 3, seed: Seed(4))
    #expect(baseline.lengths == [80, 80, 80] && baseline.returnRange == 0...80)
    #expect(Set(baseline.returns).count == 3)
    #expect(try Baseline(in: CartPoleSwingup(), smallEpisode(timeLimit: 80), episodes: 3, seed: Seed(4)) == baseline)
    #expect(try Baseline(in: CartPoleSwingup(), smallEpisode(timeLimit: 80), episodes: 3, seed: Seed(5)) != baseline)
  }

  @Test func otherSettingsCannotResume() throws {
    try withFolder { folder in
      var training = TrainingSettings()
      (training.envSteps, training.replay, training.evaluationEpisodes) = (100, 100, 1)
      func work() -> TrainingRun<Catch, DoubleDQN, TrueState> {
        TrainingRun(
          Catch(), DoubleDQN.self, through: TrueState(Catch.spec), agent: .init(), episode: .init(),
          training: training, first: nil, seed: Seed(1))
      }
      let run = try RunDirectory(at: "\(folder)/run", facts("train", "catch"), settings: work().groups)
      training.updatesPerStep = 0
      _ = try work().run(in: run)
      training.envSteps = 200
      _ = try work().run(in: run)  // a longer run continues
      training.replay = 200
      #expect(throws: InputError.self) { try work().run(in: run) }
    }
  }
}
