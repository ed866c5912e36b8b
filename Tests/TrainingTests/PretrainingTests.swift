import Autoencoders
import Core
import Environments
import Pixels
import Tensors
import Testing

@testable import Representations
@testable import Training

/// Frames of catch, a small keypoint autoencoder and few updates.
private func pretraining(
  seed: UInt64 = 1, _ change: (inout PretrainingSettings) -> Void = { _ in }
) throws -> Pretraining<KeypointAutoencoder, Recording> {
  let recording = try collect(Catch(), smallEpisode(), collectionSettings(60), seed: Seed(1))
  var settings = PretrainingSettings()
  (settings.steps, settings.batch) = (25, 8)
  change(&settings)
  var model = KeypointAutoencoder.Settings()
  (model.keypoints, model.filters) = (4, 8)
  return try Pretraining(
    KeypointAutoencoder.self, on: recording, modelSettings: model, settings: settings, seed: Seed(seed))
}

@Suite struct PretrainingTests {
  @Test func theSeedDeterminesEveryBit() throws {
    func run(_ seed: UInt64) throws -> (losses: [Double?], latents: [Float]) {
      var training = try pretraining(seed: seed)
      var losses: [Double?] = []
      while !training.isDone { losses.append(try training.update()["autoencoder/loss"]) }
      let recording = try collect(Catch(), smallEpisode(), collectionSettings(20), seed: Seed(9))
      return (losses, try training.finished().encodeAll(recording).array)
    }
    let (one, same, other) = (try run(1), try run(1), try run(2))
    #expect(one.losses == same.losses && one.latents == same.latents)
    #expect(one.losses != other.losses)
    #expect(one.losses.count == 25)
  }

  @Test(arguments: FrameSampling.allCases) func theLossFalls(_ sampling: FrameSampling) throws {
    var training = try pretraining {
      ($0.steps, $0.sampling, $0.targetBlur, $0.targetGain) = (150, sampling, 1, 2)
    }
    var errors: [Double] = []
    while !training.isDone { errors.append(try training.update()["autoencoder/error"] ?? .nan) }
    let (first, last) = (errors.prefix(10).reduce(0, +), errors.suffix(10).reduce(0, +))
    #expect(last < 0.8 * first, "\(last) after \(first)")
  }

  /// The actions can be predicted from the latents, since the paddle of catch follows them.
  @Test func latentsLearnToPredictTheActions() throws {
    var training = try pretraining { ($0.steps, $0.batch, $0.actionWeight) = (300, 24, 1) }
    var errors: [Double] = []
    while !training.isDone { errors.append(try training.update()["autoencoder/action-error"] ?? .nan) }
    let (first, last) = (errors.prefix(20).reduce(0, +) / 20, errors.suffix(20).reduce(0, +) / 20)
    #expect(first > 1 && last < 0.5 * first, "\(last) after \(first); guessing among three actions gives ln 3")
    var plain = try pretraining()
    #expect(try plain.update()["autoencoder/action-error"] == nil)
  }

  /// Trained by the prediction of the next frame alone, its error falls.
  @Test func nextFramesArePredicted() throws {
    var training = try pretraining { ($0.steps, $0.batch, $0.nextFrame) = (400, 24, 1) }
    var errors: [Double] = []
    while !training.isDone { errors.append(try training.update()["autoencoder/next-frame-error"] ?? .nan) }
    let (first, last) = (errors.prefix(20).reduce(0, +) / 20, errors.suffix(20).reduce(0, +) / 20)
    #expect(last < 0.6 * first, "\(last) after \(first)")
    var plain = try pretraining()
    #expect(try plain.update()["autoencoder/next-frame-error"] == nil)
  }

  /// The loss is the weighted mean of both errors.
  @Test(arguments: [0.25, 1]) func theLossHasTheShareOfTheNextFrame(_ share: Double) throws {
    var training = try pretraining { ($0.batch, $0.nextFrame) = (24, share) }
    let metrics = try training.update()
    let values = ["loss", "error", "next-frame-error"].map { metrics["autoencoder/\($0)"] ?? .nan }
    let penalty = values[0] - (1 - share) * values[1] - share * values[2]
    #expect(values[1] != values[2] && penalty >= 0 && penalty < 1e-4 * values[0], "\(values)")
  }

  /// Training with noise leaves a larger error, of the reconstruction and of the next frame, and the seed determines it.
  @Test(
    arguments: [\PretrainingSettings.latentNoise.deviation, \.latentNoise.dropout],
    [("autoencoder/error", 0), ("autoencoder/next-frame-error", 1)])
  func noiseOnLatentsRaisesTheError(
    _ setting: WritableKeyPath<PretrainingSettings, Double> & Sendable, _ trained: (metric: String, share: Double)
  ) throws {
    func errors(_ value: Double) throws -> [Double] {
      var training = try pretraining {
        ($0.steps, $0.batch, $0.nextFrame) = (300, 24, trained.share)
        $0[keyPath: setting] = value
      }
      var errors: [Double] = []
      while !training.isDone { errors.append(try training.update()[trained.metric] ?? .nan) }
      return errors
    }
    let (plain, noisy) = (try errors(0), try errors(0.5))
    #expect(try errors(0.5) == noisy)
    #expect(noisy.suffix(50).reduce(0, +) > 1.1 * plain.suffix(50).reduce(0, +))
  }

  /// Further training decodes from the axes only, so that latents outside of them are not trained.
  @Test(arguments: [true, false]) func furtherTrainingDecodesFromTheAxes(_ isShown: Bool) throws {
    let recording = try collect(Catch(), smallEpisode(), collectionSettings(60), seed: Seed(1))
    let shape = FrameShape(height: recording.height, width: recording.width, channels: recording.format.channels)
    var (random, kind) = (Seed(2).stream("weights"), KeypointAutoencoder.Settings())
    (kind.keypoints, kind.filters, kind.latentPenalty) = (4, 8, 0)
    let model = try KeypointAutoencoder(frame: shape, settings: kind, using: &random)
    let size = model.latentSize
    let identity = Tensor((0..<size * size).map { Float($0 % (size + 1) == 0 ? 1 : 0) }, [size, size])
    let reading = isShown ? identity : Tensor.zeros([size, size])
    let encoder = LatentEncoder(
      model: model, preparation: FramePreparation(shape: shape), target: ReconstructionTarget(blur: 0, gain: 1),
      mean: .zeros([size]), deviation: Tensor(repeating: 1, [size]),
      axes: LatentAxes(reading: reading, directions: identity))
    var settings = PretrainingSettings()
    (settings.steps, settings.batch) = (3, 8)
    var training = Pretraining(continuing: encoder, on: recording, settings: settings, seed: Seed(3))
    while !training.isDone { _ = try training.update() }
    let x = encoder.preparation.prepare(recording.count) { body, i in recording.withFrame(i, body) }
    let (before, after) = (model.encode(x), training.encoder.model.encode(x))
    #expect((before.array != after.array) == isShown, "the encoder learns from the reconstruction")
    let z = Tensor.zeros([1, size])
    #expect(model.decode(z).array != training.encoder.model.decode(z).array, "the decoder learns in any case")
  }

  /// The axes are computed after the first updates and then kept; reconstructions from them improve.
  @Test func axesAreComputedBeforeTheLastUpdates() throws {
    func start() throws -> Pretraining<KeypointAutoencoder, Recording> {
      try pretraining { ($0.steps, $0.axesSteps, $0.form) = (25, 60, .smooth) }
    }
    var training = try start()
    var (rates, errors): ([Double], [Double]) = ([], [])
    var resumed: Pretraining<KeypointAutoencoder, Recording>?
    while !training.isDone {
      #expect((training.encoder.axes != nil) == (training.step > 25))
      let metrics = try training.update()
      rates.append(metrics["autoencoder/rate"] ?? .nan)
      errors.append(metrics["autoencoder/error"] ?? .nan)
      if training.step == 40 {
        resumed = try start()
        resumed?.state = training.state
      }
    }
    #expect(rates.count == 85 && rates[25] < rates[10] && rates[84] < 0.2 * rates[70], "a cosine schedule per phase")
    let (first, last) = (errors[25..<35].reduce(0, +), errors.suffix(10).reduce(0, +))
    #expect(last < first, "\(last) after \(first)")
    var other = try #require(resumed)
    let axes = try #require(other.encoder.axes)
    while !other.isDone { _ = try other.update() }
    let (frozen, again) = (try training.finished(), try other.finished())
    #expect(frozen.axes?.reading.array == axes.reading.array && again.axes?.reading.array == axes.reading.array)
    let recording = try collect(Catch(), smallEpisode(), collectionSettings(20), seed: Seed(9))
    #expect(frozen.encodeAll(recording).array == again.encodeAll(recording).array)

    var plain = try pretraining { ($0.axesSteps, $0.form) = (60, .each) }
    while !plain.isDone { _ = try plain.update() }
    #expect(plain.step == 25 && plain.encoder.axes == nil)
  }

  @Test func predictingActionsNeedsLongerEpisodes() throws {
    let recording = try collect(
      Catch(), smallEpisode(), collectionSettings(30, episodeSteps: 1), seed: Seed(1))
    var settings = PretrainingSettings()
    settings.actionWeight = 0.5
    #expect(throws: InputError.self) {
      try Pretraining(
        KeypointAutoencoder.self, on: recording, modelSettings: .init(), settings: settings, seed: Seed(1))
    }
  }

  @Test func theFrozenEncoderIsStandardisedOnTheData() throws {
    var training = try pretraining()
    while !training.isDone { _ = try training.update() }
    let recording = try collect(Catch(), smallEpisode(), collectionSettings(60), seed: Seed(1))
    let latents = try training.finished().encodeAll(recording)
    #expect(latents.mean(axis: 0).array.allSatisfy { abs($0) < 1e-4 })
    #expect(square(latents).mean(axis: 0).array.contains { abs($0 - 1) < 1e-3 })
  }

  @Test func theFrozenEncoderHasItsTarget() throws {
    var training = try pretraining { ($0.targetBlur, $0.targetGain) = (2, 3) }
    _ = try training.update()
    #expect(try training.finished().target == ReconstructionTarget(blur: 2, gain: 3))
  }

  @Test func blurIsTheMeanOfASquareWithEdgesRepeated() {
    var random = Seed(1).stream("pixels")
    for (radius, height, width) in [(1, 5, 7), (2, 4, 4), (3, 2, 9)] {
      let x = Tensor.normal([2, 3, height, width], using: &random)
      let blurred = boxBlurred(x, radius: radius)
      #expect(blurred.shape == x.shape)
      let (pixels, found) = (x.array, blurred.array)
      for plane in 0..<6 {
        for row in 0..<height {
          for column in 0..<width {
            var sum = 0.0
            for dy in -radius...radius {
              for dx in -radius...radius {
                let (y, x) = (min(max(row + dy, 0), height - 1), min(max(column + dx, 0), width - 1))
                sum += Double(pixels[(plane * height + y) * width + x])
              }
            }
            let side = Double(2 * radius + 1)
            #expect(abs(Double(found[(plane * height + row) * width + column]) - sum / (side * side)) < 1e-5)
          }
        }
      }
    }
  }

  @Test func changedPixelsWeighMore() {
    let difference = Tensor([Float(1), 2, 3, 0], [2, 1, 1, 2])
    let weights = Tensor([Float(1), 21, 1, 1], [2, 1, 1, 2])
    #expect(abs(meanSquared(difference, weights: weights).item - (1 + 21 * 4 + 9) / 24) < 1e-6)
    let errors = frameErrors(difference, weights)
    #expect(abs(errors[0] - (1 + 21 * 4) / 22) < 1e-6 && abs(errors[1] - 4.5) < 1e-6)
  }

  @Test func framesWithMotionOrLargeErrorsAreSampledMoreOften() throws {
    // Four frames: two at rest, one with motion, and the start of another episode.
    func frame(_ level: UInt8) -> PixelBuffer {
      PixelBuffer(width: 2, height: 2, format: .gray, bytes: [level, 0, 0, 0])
    }
    var recording = Recording(frame: frame(0), observationNames: ["x"], actionSpace: .continuous(low: [-1], high: [1]))
    recording.begin(frame: frame(0), observation: [0])
    recording.append(action: [0], step: Step(reward: 0), frame: frame(3), observation: [0])
    recording.append(action: [0], step: Step(reward: 0), frame: frame(200), observation: [0])
    recording.begin(frame: frame(0), observation: [0])

    func counts(_ sampler: FrameSampler) -> [Int] {
      var sampler = sampler
      var random = Seed(1).stream("frames")
      var counts = [0, 0, 0, 0]
      for index in sampler.sample(4000, using: &random) { counts[index] += 1 }
      return counts
    }
    #expect(counts(FrameSampler(.uniform, recording)).allSatisfy { (900...1100).contains($0) })
    // Half are sampled uniformly, the others are the frame with motion: a change of 3 levels is noise.
    let moving = counts(FrameSampler(.motion, recording))
    #expect((2350...2650).contains(moving[2]) && moving[1] < 600 && moving[3] < 600)

    var sampler = FrameSampler(.error, recording)
    #expect(counts(sampler).allSatisfy { (900...1100).contains($0) })
    for _ in 0..<20 { sampler.note([0, 1, 2, 3]) { [0.1, 0.6, 0.1, 0.2] } }
    let missed = counts(sampler)
    #expect((1600...1800).contains(missed[1]) && (800...1000).contains(missed[3]), "\(missed)")
    // Only one frame has two frames before it.
    for sampling in FrameSampling.allCases {
      #expect(counts(FrameSampler(sampling, recording, past: 2)) == [0, 0, 4000, 0])
    }
    var indifferent = FrameSampler(.uniform, recording)
    indifferent.note([0]) {
      Issue.record("uniform sampling does not need the errors")
      return []
    }
  }
}

@Suite struct StateProbeTests {
  private func probe(_ encode: (Recording) -> Tensor) throws -> StateProbe {
    let settings = collectionSettings(700, episodeSteps: 30)
    let training = try collect(PendulumSwingup(), smallEpisode(size: 8), settings, seed: Seed(1))
    let heldOut = try collect(PendulumSwingup(), smallEpisode(size: 8), settings, seed: Seed(2))
    let layout = TrainingSettings().layout(latentSize: 3, actionSpace: PendulumSwingup.actionSpace)
    let frames = ProbeFrames("random play", training: training, heldOut: heldOut)
    return StateProbe(encode, on: frames, layout: layout, seed: Seed(3), steps: 100)
  }

  @Test func theStateIsPredictedFromItself() throws {
    let probe = try probe { TrueState(PendulumSwingup.spec).latents(of: $0) }
    #expect(probe.names == PendulumSwingup.observationNames)
    #expect(probe.worst > 0.95, "\(probe.summary)")
  }

  @Test func noisePredictsNothing() throws {
    var random = Seed(5).stream("noise")
    let probe = try probe { .normal([$0.count, 3], using: &random) }
    #expect(probe.r2.allSatisfy { $0 < 0.1 }, "\(probe.summary)")
  }

  @Test func `only a poor component is warned about`() throws {
    func warning(_ texts: [String]) -> String? {
      StateProbe.warning(about: texts.enumerated().map { AutoencoderRecord.Setting(key: "s\($0)", text: $1) })
    }
    #expect(warning(["0.9", "0.31", "nan"]) == nil && warning([]) == nil)
    let text = try #require(warning(["0.9", "0.29", "-0.25"]))
    #expect(text.contains("R² -0.250 for 's2'") && text.contains("probe RUN --ceiling"))
  }

  /// Interrupted runs of versions without these settings can be resumed.
  @Test func `settings added later leave the fingerprint of a run as it was`() {
    func value(_ pretraining: PretrainingSettings, _ collection: CollectionSettings) -> UInt64 {
      fingerprint(of: [collection, pretraining], "catch", "keypoint", Seed(1))
    }
    #expect(CollectionSettings.addedLater == ["no-op-chance": "0"])
    #expect(
      PretrainingSettings.addedLater
        == ["color-balance": "0", "next-frame": "0", "latent-noise": "0", "latent-dropout": "0"])
    #expect(
      EpisodeSettings.addedLater
        == ["fit": "stretch", "moving-background": "none", "color-changes": "none", "camera-changes": "none"])
    let groups: [any SettingsGroup] = [CollectionSettings(), PretrainingSettings()]
    let before = groups.flatMap { group in
      group.record.filter { type(of: group).addedLater[$0.key] == nil }
        .map { "\(group.title).\($0.key)=\($0.text)" }
    }
    #expect(
      value(PretrainingSettings(), CollectionSettings())
        == xxHash64(Array("catch\nkeypoint\n1\n\(before.joined(separator: "\n"))".utf8)))
    var (pretraining, collection) = (PretrainingSettings(), CollectionSettings())
    (pretraining.colorBalance, collection.noOpChance) = (0.5, 0.9)
    let values = [
      value(PretrainingSettings(), CollectionSettings()), value(pretraining, CollectionSettings()),
      value(PretrainingSettings(), collection),
    ]
    #expect(Set(values).count == 3)
  }

  /// A probe has the history that an agent has by default: one latent of stacked frames, three latents of single ones.
  @Test func theProbeHasTheHistoryOfAnAgent() throws {
    for (stack, frames) in [(1, 3), (3, 1)] {
      let recording = try collect(Catch(), smallEpisode(), collectionSettings(30), seed: Seed(1))
      var model = KeypointAutoencoder.Settings()
      (model.keypoints, model.filters) = (2, 4)
      var settings = PretrainingSettings()
      (settings.steps, settings.batch) = (1, 4)
      var training = try Pretraining(
        KeypointAutoencoder.self, on: recording, frameStack: stack, modelSettings: model, settings: settings,
        seed: Seed(1))
      _ = try training.update()
      let probed = ProbeFrames("random play", training: recording, heldOut: recording)
      let layout = probed.layout(of: try training.finished())
      #expect(layout.frames == frames)
    }
  }

  @Test func numbersAreRounded() {
    #expect(rounded(0.98765, 3) == "0.988" && rounded(-0.05, 1) == "-0.1" && rounded(2, 0) == "2")
    #expect(rounded(.nan, 3) == "nan" && rounded(-1e300, 3) == "-1e+300" && rounded(0.0004, 3) == "0.000")
  }
}
