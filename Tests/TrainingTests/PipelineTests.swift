import Agents
import Autoencoders
import Core
import Environments
import Formats
import Foundation
import Networks
import Pixels
import Representations
import Runs
import Tensors
import Testing

@testable import Training

private typealias E = CartPoleSwingup

/// A small pipeline from frames to a trained agent.
struct Pipeline {
  let folder: String
  let episode = smallEpisode(timeLimit: 160)

  private func facts(_ command: String, _ member: String) -> RunDirectory.Facts {
    RunDirectory.Facts(
      command: command, environment: E.id, member: member, seed: 1, commandLine: ["pixelrl", command], version: "test")
  }

  func pretrain(_ form: LatentForm = .each, changeThreshold: Double = 0.03) throws -> RunDirectory {
    var (pretraining, model) = (PretrainingSettings(), KeypointAutoencoder.Settings())
    (pretraining.steps, pretraining.batch) = (15, 8)
    (pretraining.probeFrames, pretraining.probeSteps, pretraining.form) = (300, 20, form)
    (pretraining.axesSteps, pretraining.changeThreshold) = (10, changeThreshold)
    (model.keypoints, model.filters) = (4, 8)
    let work = PretrainingRun(
      E(), KeypointAutoencoder.self, episode: episode, collection: collectionSettings(60), pretraining: pretraining,
      model: model, seed: Seed(1))
    try work.check()
    let run = try RunDirectory(
      at: folder + "/pretrained", facts("pretrain-ae", KeypointAutoencoder.id), settings: work.groups)
    var lines: [String] = []
    let summary = try work.run(in: run) { lines.append($0) }
    #expect(summary["env_steps"]?.int == 60 * E.actionRepeat)
    let isPoor = try #require(summary["probe_worst"]?.double) < StateProbe.poor
    #expect(lines.contains { $0.hasPrefix("WARNING: the state probe has R²") } == isPoor, "a low R² prints a warning")
    return run
  }

  /// - Parameter autoencoder: The folder of the encoder.
  func train(
    _ encoder: LatentEncoder<KeypointAutoencoder>, of autoencoder: String, first: Recording, agentSteps: Int,
    retrainRounds: Int = 0
  ) throws -> RunDirectory {
    var (agent, training) = (SAC.Settings(), TrainingSettings())
    var (settings, retraining) = (EncoderSettings(), PretrainingSettings())
    (settings.retrainRounds, settings.retrainEvery, settings.retrainSteps) = (retrainRounds, 400, 3)
    (settings.place, settings.autoencoder) = (retrainRounds > 0 ? "rounds" : "frozen", autoencoder)
    retraining.batch = 8
    (agent.hidden, agent.batch) = (16, 8)
    (training.envSteps, training.replay, training.seedUpdates) = ((60 + agentSteps) * E.actionRepeat, 1000, 5)
    (training.updatesPerStep, training.evaluateEvery, training.evaluationEpisodes) = (0.2, 1500, 2)
    let work = TrainingRun(
      E(), SAC.self,
      through: EncodedFrames(
        encoder, place: try Places.named(settings.place), settings: settings, pretraining: retraining, seed: Seed(2)),
      agent: agent, episode: episode, training: training, first: first, seed: Seed(2))
    try work.check()
    let run = try RunDirectory(
      at: folder + "/trained", facts("train", SAC.id), settings: work.groups + [settings])
    let outcome = try work.run(in: run)
    let values = Dictionary(uniqueKeysWithValues: outcome.map { ($0.key, $0.value) })
    #expect(values["env_steps"]?.int == (60 + agentSteps) * E.actionRepeat)
    #expect(values["updates"]?.int == 5 + agentSteps / 5)
    #expect(values["evaluations"]?.array?.isEmpty == false)
    let mean = try #require(values["return_mean"]?.double)
    #expect((0...160).contains(mean))
    try run.finish(.object(outcome))
    return run
  }
}

@Suite struct PipelineTests {
  @Test func pretrainingAndTrainingWriteTheirFiles() throws {
    try withFolder { folder in
      let pipeline = Pipeline(folder: folder)
      let pretrained = try pipeline.pretrain()
      let record = try AutoencoderRecord(folder: pretrained.path)
      #expect(try newestAutoencoder(for: E.id, pipeline.episode, root: folder) == pretrained.path)
      let encoder = try LatentEncoder<KeypointAutoencoder>(folder: pretrained.path, record: record)
      let first = try record.recording(of: pretrained.path, E.spec, pipeline.episode)
      #expect(first.environmentSteps == 60 * E.actionRepeat)
      let trained = try pipeline.train(encoder, of: pretrained.path, first: first, agentSteps: 300)

      for run in [pretrained, trained] {
        #expect(run.isFinished)
        let lines = try String(contentsOfFile: run.file("metrics.jsonl"), encoding: .utf8).split(separator: "\n")
        #expect(!lines.isEmpty)
        var last = 0
        for line in lines {
          let step = try #require(try JSON(parsing: Array(line.utf8))["step"]?.int)
          #expect(step >= last)
          last = step
        }
        for name in try FileManager.default.contentsOfDirectory(atPath: run.path) where name.hasSuffix(".png") {
          #expect(try PNG.read(run.file(name)).text["environment"] == E.id, "\(name)")
        }
      }
      let files = Set(try FileManager.default.contentsOfDirectory(atPath: trained.path))
      #expect(files.isSuperset(of: ["settings.yaml", "run.json", "metrics.jsonl", "summary.json", "curve.png"]))
      #expect(files.isSuperset(of: ["episode.png", "agent.safetensors"]))
      #expect(files.count { $0.hasPrefix("reconstructions-0000") } == 2)
    }
  }

  @Test(arguments: [0, 2], LatentForm.allCases) func aSavedAgentActsAgain(_ retrainRounds: Int, _ form: LatentForm)
    throws
  {
    try withFolder { folder in
      let pipeline = Pipeline(folder: folder)
      let pretrained = try pipeline.pretrain(form)
      let record = try AutoencoderRecord(folder: pretrained.path)
      let encoder = try LatentEncoder<KeypointAutoencoder>(folder: pretrained.path, record: record)
      #expect((encoder.axes != nil) == (form == .smooth))
      let first = try record.recording(of: pretrained.path, E.spec, pipeline.episode)
      let trained = try pipeline.train(
        encoder, of: pretrained.path, first: first, agentSteps: 120, retrainRounds: retrainRounds)
      // A run that trained the encoder further saves it, since the agent does not fit the old one.
      let own = trained.file("autoencoder.safetensors")
      #expect(FileManager.default.fileExists(atPath: own) == (retrainRounds > 0))
      if let axes = encoder.axes {
        #expect(encoder.latentSize == axes.count && encoder.encodeAll(first).shape == [first.count, axes.count])
        if retrainRounds > 0 {
          let later = try LatentEncoder<KeypointAutoencoder>(folder: trained.path, record: record)
          #expect(later.axes?.reading.array == axes.reading.array, "the axes are unchanged")
        }
      }

      func actions() throws -> [[Double]] {
        let saved = try SavedAgent(path: trained.path)
        var policy = try saved.policy(in: E(), pipeline.episode)
        var episode = Episode<E>(pipeline.episode, seed: Seed(4))
        try policy.begin(episode)
        return try (0..<5).map { _ in
          let action = try policy.act(in: episode)
          _ = episode.step(action)
          return action
        }
      }
      let acted = try actions()
      #expect(try actions() == acted)
      if retrainRounds > 0 {
        try FileManager.default.removeItem(atPath: own)
        #expect(try actions() != acted)
      }
    }
  }

  /// A random encoder that is never trained has standardised latents; other new encoders have unscaled ones.
  @Test(arguments: Places.all.filter { $0.start != .pretrained }) func aNewEncoderFitsItsPlace(_ place: Place) throws {
    var model = KeypointAutoencoder.Settings()
    (model.keypoints, model.filters) = (4, 8)
    func start(_ seed: UInt64) throws -> EncoderStart<KeypointAutoencoder> {
      let episode = smallEpisode(timeLimit: 160)
      let first = try firstData(E(), episode, seed: Seed(seed))
      return try .new(KeypointAutoencoder.self, model, place: place, on: first, E(), episode, seed: Seed(seed))
    }
    let new = try start(3)
    let latents = new.encoder.encodeAll(try new.first())
    #expect(!new.isPretrained && new.input == nil && new.record.frame == new.encoder.preparation.shape)
    #expect(latents.mean(axis: 0).array.allSatisfy { abs($0) < 1e-3 } == (place.when == .never))
    #expect(try start(3).encoder.encodeAll(new.first()).array == latents.array)
    #expect(try start(4).encoder.encodeAll(new.first()).array != latents.array)
  }

  @Test func aSavedAutoencoderEncodesToTheSameBits() throws {
    try withFolder { folder in
      let pipeline = Pipeline(folder: folder)
      let run = try pipeline.pretrain()
      let record = try AutoencoderRecord(folder: run.path)
      let encoder = try LatentEncoder<KeypointAutoencoder>(folder: run.path, record: record)
      let other = try collect(E(), pipeline.episode, collectionSettings(20), seed: Seed(9))
      let latents = encoder.encodeAll(other)
      try encoder.write(to: folder, record: record)
      let again = try LatentEncoder<KeypointAutoencoder>(folder: folder, record: try AutoencoderRecord(folder: folder))
      #expect(again.encodeAll(other).array == latents.array)
      #expect(again.preparation == encoder.preparation && again.deviation.array == encoder.deviation.array)

    }
  }

  @Test func anAutoencoderThatDoesNotFitIsAnError() throws {
    try withFolder { folder in
      let pipeline = Pipeline(folder: folder)
      let run = try pipeline.pretrain()
      let record = try AutoencoderRecord(folder: run.path)

      func refusal(_ environment: String, _ change: (inout EpisodeSettings) -> Void) -> String? {
        var settings = pipeline.episode
        change(&settings)
        return #expect(throws: InputError.self) {
          try record.check(environment: environment, settings, path: run.path)
        }?.description
      }
      #expect(throws: Never.self) { try record.check(environment: E.id, pipeline.episode, path: run.path) }
      #expect(refusal("catch") { _ in }?.contains("is an autoencoder for cartpole-swingup: for catch, run") == true)
      #expect(refusal(E.id) { $0.size = 32 }?.contains("--size 16, but this run uses --size 32") == true)
      #expect(refusal(E.id) { $0.color = .rgb }?.contains("--color gray, but this run uses --color rgb") == true)
      #expect(refusal(E.id) { $0.flicker = 0.5 }?.contains("--flicker 0, but this run uses --flicker 0.5") == true)
      #expect(throws: InputError.self) { try newestAutoencoder(for: "catch", pipeline.episode, root: folder) }
      #expect(throws: InputError.self) { try newestAutoencoder(for: E.id, smallEpisode(size: 32), root: folder) }
      // Its frames were collected with the task's own action repeat.
      var repeated = pipeline.episode
      repeated.actionRepeat = 2
      let dynamics = #expect(throws: InputError.self) { try record.recording(of: run.path, E.spec, repeated) }
      #expect(dynamics?.description.contains("--action-repeat 0, but this run uses --action-repeat 2") == true)
      // Weights of one kind do not fit another kind.
      #expect(throws: WorldError.self) { try LatentEncoder<RegularizedAutoencoder>(folder: run.path, record: record) }
      #expect(throws: InputError.self) { try AutoencoderRecord(folder: folder) }
    }
  }

  @Test func damagedFilesAreErrorsWithTheirPath() throws {
    try withFolder { folder in
      let run = try Pipeline(folder: folder).pretrain()
      let record = try AutoencoderRecord(folder: run.path)
      let (json, weights) = (run.file("autoencoder.json"), run.file("autoencoder.safetensors"))
      let whole = try String(contentsOfFile: json, encoding: .utf8)
      let damages = [
        "", "{", String(whole.dropLast(40)), "[]", "{\"format\": 2}",
        whole.replacingOccurrences(of: "\"view\"", with: "\"v\""),
        whole.replacingOccurrences(of: "\"cartpole-swingup\"", with: "7"),
        whole.replacingOccurrences(of: "\"keypoints\": \"4\"", with: "\"keypoints\": 4"),
      ]
      for damage in damages {
        #expect(damage != whole)
        try damage.write(toFile: json, atomically: true, encoding: .utf8)
        let error = #expect(throws: WorldError.self) { try AutoencoderRecord(folder: run.path) }
        #expect(error?.description.hasPrefix(json) == true)
      }

      let good = try Data(contentsOf: URL(fileURLWithPath: weights))
      let tensors = try Safetensors(contentsOf: weights).tensors
      func expectRefusal() {
        let error = #expect(throws: WorldError.self) {
          try LatentEncoder<KeypointAutoencoder>(folder: run.path, record: record)
        }
        #expect(error?.description.hasPrefix(weights) == true)
      }
      for data in [Data(), good.prefix(100), good.dropLast(4)] {
        try data.write(to: URL(fileURLWithPath: weights))
        expectRefusal()
      }
      // Tensors that are missing, have another shape or are not finite.
      let broken: [(String, Tensor?)] = [
        ("background", nil), ("standardization.mean", .zeros([7])), ("standardization.deviation", .zeros([8])),
        ("standardization.mean", Tensor(repeating: .nan, [8])), ("encoder.layers.0.weight", nil),
      ]
      for (name, value) in broken {
        try Safetensors(tensors.compactMap { $0.name == name ? value.map { (name, $0) } : $0 }).write(to: weights)
        expectRefusal()
      }
      // Axes that are incomplete, or have other shapes.
      for axes in [
        [("axes.reading", Tensor.zeros([2, 8]))],
        [("axes.reading", .zeros([2, 8])), ("axes.directions", .zeros([3, 8]))],
        [("axes.reading", .zeros([2, 7])), ("axes.directions", .zeros([2, 7]))],
      ] {
        try Safetensors(tensors + axes).write(to: weights)
        expectRefusal()
      }
      try good.write(to: URL(fileURLWithPath: weights))
      #expect(throws: Never.self) { try LatentEncoder<KeypointAutoencoder>(folder: run.path, record: record) }
    }
  }
}
