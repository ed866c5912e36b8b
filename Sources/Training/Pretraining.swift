import Autoencoders
import Core
import Networks
import Pixels
import Runs
import Tensors

/// How an autoencoder is trained before it is frozen.
public struct PretrainingSettings: SettingsGroup, Hashable {
  public var steps = 2500
  public var batch = 32
  public var learningRate = 2e-3
  public var warmUp = 50
  public var finalRate = 0.05
  public var background = true
  public var changeWeight = 20.0
  public var changeThreshold = 0.03
  public var targetBlur = 3
  public var targetGain = 5.0
  public var sampling = FrameSampling.uniform
  public var probeSteps = 2000
  public var probeFrames = 3000
  public var checkpointEvery = 500
  public var keepCheckpoints = 2

  public init() {}
  public static var fields: [Field<Self>] {
    [
      Field("ae-steps", \.steps, 1...Int.max, "updates of the autoencoder"),
      Field("ae-batch", \.batch, 1...4096, "frames of an update"),
      Field("ae-learning-rate", \.learningRate, 0...1, "Adam's full step size"),
      Field("ae-warm-up", \.warmUp, 0...Int.max, "updates until the full step size"),
      Field("ae-final-rate", \.finalRate, 0...1, "the last step size as a fraction, reached along a cosine"),
      Field("background", \.background, "take the median picture away from every frame"),
      Field("change-weight", \.changeWeight, 0...1e6, "extra weight of pixels that differ from the background"),
      Field("change-threshold", \.changeThreshold, 0...1, "difference from the background that counts as change"),
      Field("target-blur", \.targetBlur, 0...64, "radius in pixels of the box that blurs what is to be reconstructed"),
      Field("target-gain", \.targetGain, 0.01...1000, "factor on what is to be reconstructed, clamped to -1 to 1"),
      Field(
        "frame-sampling", \.sampling, "uniform; motion or error: half of each batch by how much moves or is missed"),
      Field("probe-steps", \.probeSteps, 1...Int.max, "updates of the state probe"),
      Field("probe-frames", \.probeFrames, 300...1_000_000, "agent steps that the state probe learns from"),
      Field(
        "checkpoint-every", \.checkpointEvery, 0...Int.max, "updates between checkpoints; 0: at a signal and at the end"
      ),
      Field("keep-checkpoints", \.keepCheckpoints, 1...1_000_000, "last checkpoints that are kept"),
    ]
  }
}

extension PretrainingSettings {
  /// The settings that a pretraining recorded in its run's folder.
  public init(ofRunIn folder: String) throws {
    self.init()
    try SettingsFile(path: "\(folder)/settings.yaml").apply("pretraining", to: &self)
  }
}

/// What an autoencoder is trained on, as a setting.
public struct DatasetChoice: SettingsGroup, Hashable {
  /// A dataset's folder; empty: frames are collected.
  public var dataset = ""

  public init() {}
  public static var fields: [Field<Self>] {
    [Field("dataset", \.dataset, "a dataset of 'pixelrl collect' to train on; none: frames are collected")]
  }
}

public enum FrameSampling: String, ChoiceSetting, Hashable {
  case uniform
  case motion
  case error
}

/// Trains an autoencoder on recorded frames.
///
/// The loss is Σ w (x̂ - x)² / Σ w plus the model's penalty, where w is 1, or more for pixels that differ from the
/// background: a plain mean square forgets small things that move.
public struct Pretraining<Model: Autoencoder>: Sendable {
  public let settings: PretrainingSettings
  public private(set) var encoder: LatentEncoder<Model>
  public private(set) var step = 0
  private let recording: Recording
  private let schedule: LearningRateSchedule
  private var optimizer: Adam
  private var sampler: FrameSampler
  private var random: Random

  /// All that the future depends on, but for the frames.
  struct State: Codable {
    let encoder: LatentEncoder<Model>
    let step: Int
    let optimizer: Adam
    let sampler: FrameSampler
    let random: Random
  }

  /// What a checkpoint holds; setting it goes on from there.
  var state: State {
    get { State(encoder: encoder, step: step, optimizer: optimizer, sampler: sampler, random: random) }
    set {
      (encoder, step, optimizer, sampler, random) = (
        newValue.encoder, newValue.step, newValue.optimizer, newValue.sampler, newValue.random
      )
    }
  }

  public init(
    _ kind: Model.Type, on recording: Recording, modelSettings: Model.Settings, settings: PretrainingSettings,
    seed: Seed
  ) throws {
    let shape = FrameShape(height: recording.height, width: recording.width, channels: recording.format.channels)
    let preparation =
      settings.background
      ? FramePreparation(shape: shape, medianOf: recording.count) { recording.frame($0).bytes }
      : FramePreparation(shape: shape)
    var initial = seed.stream("initial weights")
    let model = try Model(frame: shape, settings: modelSettings, using: &initial)
    self.init(
      continuing: LatentEncoder(
        model: model, preparation: preparation,
        target: ReconstructionTarget(blur: settings.targetBlur, gain: settings.targetGain)),
      on: recording, settings: settings, seed: seed)
  }

  /// Trains an encoder further. Its background and the standardisation of its latents stay.
  public init(
    continuing encoder: LatentEncoder<Model>, on recording: Recording, settings: PretrainingSettings, seed: Seed
  ) {
    self.settings = settings
    self.recording = recording
    self.encoder = encoder
    schedule = LearningRateSchedule(
      rate: settings.learningRate, warmUpSteps: min(settings.warmUp, settings.steps), steps: settings.steps,
      finalFraction: settings.finalRate)
    optimizer = Adam(learningRate: settings.learningRate)
    sampler = FrameSampler(settings.sampling, recording)
    random = seed.stream("frames")
  }

  public var isDone: Bool { step >= settings.steps }

  /// One update.
  ///
  /// - Throws: `NotFinite` if the loss is not a number.
  public mutating func update() throws -> Metrics {
    let indices = sampler.sample(settings.batch, using: &random)
    let x = prepared(indices)  // [B, C, H, W]
    let target = encoder.target(x)
    let weights = changeWeights(x)
    var error = 0.0
    var difference = x  // of what is drawn from what should be
    let (loss, gradient) = valueWithGradient(at: encoder.model) { model in
      let z = model.encode(x)
      let d = model.decode(z) - target
      let reconstruction = meanSquared(d, weights: weights)
      (error, difference) = (reconstruction.item, d.detached)
      return reconstruction + model.penalty(z)
    }
    try requireFinite(["autoencoder/loss": loss], step: step, in: encoder.model)
    optimizer.learningRate = schedule.rate(at: step)
    optimizer.update(&encoder.model, along: gradient)
    sampler.note(indices) { frameErrors(difference, weights) }
    step += 1
    return ["autoencoder/loss": loss, "autoencoder/error": error, "autoencoder/rate": optimizer.learningRate]
  }

  /// Freezes the encoder, with latents standardised on all recorded frames.
  ///
  /// - Throws: `NotFinite` if the last update left a parameter that is not a number.
  public func finished() throws -> LatentEncoder<Model> {
    try requireFinite(encoder.model, step: step)
    var frozen = LatentEncoder(model: encoder.model, preparation: encoder.preparation, target: encoder.target)
    frozen.standardize(on: frozen.encodeAll(recording))
    return frozen
  }

  private func prepared(_ indices: [Int]) -> Tensor {
    encoder.preparation.prepare(indices.count) { body, b in recording.withFrame(indices[b], body) }
  }

  /// 1 + changeWeight · [|x| > threshold], for x the difference from the background.
  private func changeWeights(_ x: Tensor) -> Tensor {
    let (threshold, extra) = (Float(settings.changeThreshold), Float(settings.changeWeight))
    return x.withElements { x in
      Tensor([x.count], of: Float.self) { w in
        for i in 0..<x.count { w[i] = x[i] > threshold || x[i] < -threshold ? 1 + extra : 1 }
      }
    }.reshaped(x.shape)
  }
}

/// Σ w d² / Σ w for each frame of `[B, C, H, W]`.
func frameErrors(_ difference: Tensor, _ weights: Tensor) -> [Double] {
  let errors = (square(difference) * weights).reshaped(difference.shape[0], -1).sum(axis: 1)
  return (errors / weights.reshaped(difference.shape[0], -1).sum(axis: 1)).doubles
}
