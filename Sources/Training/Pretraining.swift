import Autoencoders
import Core
import Formats
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
  public var actionWeight = 0.0
  public var sampling = FrameSampling.uniform
  public var form = LatentForm.each
  public var axesSteps = 0
  public var probeSteps = 2000
  public var probeFrames = 3000
  public var checkpointEvery = 500
  public var keepCheckpoints = 2

  public init() {}

  public static let title = "pretraining"
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
        "action-weight", \.actionWeight, 0...1000,
        "weight of telling the actions from the latents of three frames in a row; 0: of the pixels alone"),
      Field(
        "frame-sampling", \.sampling, "uniform; motion or error: half of each batch by how much moves or is missed"),
      Field(
        "latent-form", \.form,
        "what an agent is given of a latent. each: its numbers; smooth: its principal axes, but for what only trembles"),
      Field(
        "axes-steps", \.axesSteps, 0...Int.max,
        "with smooth axes: further updates once they are laid, which draw from what an agent is given"),
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
  /// Updates until the encoder is frozen.
  var updates: Int { steps + (form == .smooth ? axesSteps : 0) }

  /// A setting that looks at as many frames in a row as `InverseDynamics`, and what to give instead; nil: none does.
  var needingFramesInARow: (setting: String, instead: String)? {
    if actionWeight > 0 { return ("--action-weight", "--action-weight 0") }
    return form == .smooth ? ("--latent-form smooth", "--latent-form each") : nil
  }

  /// The settings that a pretraining recorded in its run's folder.
  public init(ofRunIn folder: String) throws {
    self.init()
    try SettingsFile(path: "\(folder)/settings.yaml").apply(to: &self)
  }
}

/// What an autoencoder is trained on, as a setting.
public struct DatasetChoice: SettingsGroup, Hashable {
  /// A dataset's folder; empty: frames are collected.
  public var dataset = ""

  public init() {}

  public static let title = "pretraining"
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
/// background: a plain mean square forgets small things that move. Added to it, if wanted, is how badly the actions can be
/// told from the latents.
public struct Pretraining<Model: Autoencoder>: Sendable {
  public let settings: PretrainingSettings
  public private(set) var encoder: LatentEncoder<Model>
  public private(set) var step = 0
  /// What reads the actions; nil where pixels alone teach.
  private var dynamics: InverseDynamics?
  private let recording: Recording
  /// Updates in all; after the first `settings.steps` of them axes are laid.
  private let updates: Int
  private var optimizer: Adam
  private var sampler: FrameSampler
  private var random: Random

  /// All that the future depends on, but for the frames.
  struct State: Codable {
    let encoder: LatentEncoder<Model>
    let dynamics: InverseDynamics?
    let step: Int
    let optimizer: Adam
    let sampler: FrameSampler
    let random: Random

    /// In what the state of a training that went on differs from a new one's; it may have axes then.
    static var form: StateForm {
      StateForm(changing: ["step", "steps", "learningRate", "weights", "cumulative", "notes"])
    }
  }

  /// - Throws: `InputError` that says what keeps a stored state, which has the form of this one, from going on.
  func check(_ state: State) throws {
    guard (0...updates).contains(state.step) else { throw InputError("update \(state.step) is none of \(updates)") }
    let size = encoder.model.latentSize
    guard let axes = state.encoder.axes else {
      guard state.step <= settings.steps else { throw InputError("the latent's axes are missing") }
      return
    }
    guard state.step >= settings.steps, axes.count > 0, axes.directions.shape == axes.reading.shape,
      axes.reading.shape == [axes.count, size], axes.reading.precision == .float32,
      axes.directions.precision == .float32
    else { throw InputError("the axes \(axes.reading.shape) are none of latents of \(size) numbers") }
  }

  /// What a checkpoint holds; setting it goes on from there.
  var state: State {
    get {
      State(
        encoder: encoder, dynamics: dynamics, step: step, optimizer: optimizer, sampler: sampler, random: random)
    }
    set {
      (encoder, dynamics, step, optimizer, sampler, random) = (
        newValue.encoder, newValue.dynamics, newValue.step, newValue.optimizer, newValue.sampler, newValue.random
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
    if let (setting, instead) = settings.needingFramesInARow, !recording.hasEpisode(ofFrames: InverseDynamics.frames) {
      throw InputError("\(setting) needs episodes of \(InverseDynamics.frames - 1) actions at least: give \(instead)")
    }
    var initial = seed.stream("initial weights")
    let model = try Model(
      frame: shape, isBackgroundTakenAway: settings.background, settings: modelSettings, using: &initial)
    let encoder = LatentEncoder(
      model: model, preparation: preparation,
      target: ReconstructionTarget(blur: settings.targetBlur, gain: settings.targetGain))
    self.init(encoder, updates: settings.updates, on: recording, settings: settings, seed: seed)
  }

  /// Trains an encoder further. Its background and the standardisation of its latents stay, and its decoder draws from what
  /// the agent is given: what axes leave out of a latent could otherwise come to hold what matters.
  public init(
    continuing encoder: LatentEncoder<Model>, on recording: Recording, settings: PretrainingSettings, seed: Seed
  ) {
    self.init(encoder, updates: settings.steps, on: recording, settings: settings, seed: seed)
  }

  private init(
    _ encoder: LatentEncoder<Model>, updates: Int, on recording: Recording, settings: PretrainingSettings, seed: Seed
  ) {
    self.settings = settings
    self.recording = recording
    self.encoder = encoder
    self.updates = updates
    sampler = FrameSampler(
      settings.sampling, recording, past: settings.actionWeight > 0 ? InverseDynamics.frames - 1 : 0)
    random = seed.stream("frames")
    if settings.actionWeight > 0 {
      var initial = seed.stream("inverse dynamics")
      dynamics = InverseDynamics(
        latentSize: encoder.model.latentSize, actionSpace: recording.actionSpace, using: &initial)
    }
    optimizer = Adam(of: Taught(model: encoder.model, dynamics: dynamics), learningRate: settings.learningRate)
  }

  public var isDone: Bool { step >= updates }

  /// One update.
  ///
  /// - Throws: `NotFinite` if the loss is not a number.
  public mutating func update() throws -> Metrics {
    if step == settings.steps && !isDone { try layAxes() }
    let indices = frames()
    let x = prepared(indices)  // [B, C, H, W]
    let target = encoder.target(x)
    let weights = changeWeights(x)
    var error = 0.0
    var difference = x  // of what is drawn from what should be
    var actionError: Double?
    var taught = Taught(model: encoder.model, dynamics: dynamics)
    let (loss, gradient) = valueWithGradient(at: taught) { taught in
      let z = taught.model.encode(x)
      let d = taught.model.decode(encoder.asSeen(z)) - target
      let reconstruction = meanSquared(d, weights: weights)
      (error, difference) = (reconstruction.item, d.detached)
      let drawing = reconstruction + taught.model.penalty(z)
      guard let reading = taught.dynamics?.loss(z, actions: actions(indices)) else { return drawing }
      actionError = reading.item
      return drawing + reading * settings.actionWeight
    }
    try requireFinite(["autoencoder/loss": loss], step: step, in: encoder.model)
    optimizer.learningRate = learningRate
    optimizer.update(&taught, along: gradient)
    (encoder.model, dynamics) = (taught.model, taught.dynamics)
    sampler.note(indices) { frameErrors(difference, weights) }
    step += 1
    var metrics: Metrics = [
      "autoencoder/loss": loss, "autoencoder/error": error, "autoencoder/rate": optimizer.learningRate,
    ]
    if let actionError { metrics["autoencoder/action-error"] = actionError }
    return metrics
  }

  /// The frames of a batch, in threes one after the other where actions are read.
  private mutating func frames() -> [Int] {
    guard dynamics != nil else { return sampler.sample(settings.batch, using: &random) }
    let (past, groups) = (InverseDynamics.frames - 1, max(1, settings.batch / InverseDynamics.frames))
    return sampler.sample(groups, using: &random).flatMap { $0 - past...$0 }
  }

  /// Those taken at the first frame of each three, then those at the second.
  private func actions(_ indices: [Int]) -> [Float] {
    (0..<InverseDynamics.frames - 1).flatMap { frame in
      stride(from: frame, to: indices.count, by: InverseDynamics.frames).flatMap { recording.action(indices[$0]) }
    }
  }

  /// A warm-up and a cosine, and the same once more when axes are laid.
  private var learningRate: Double {
    let (begin, end) = step < settings.steps ? (0, settings.steps) : (settings.steps, updates)
    let schedule = LearningRateSchedule(
      rate: settings.learningRate, warmUpSteps: min(settings.warmUp, end - begin), steps: end - begin,
      finalFraction: settings.finalRate)
    return schedule.rate(at: step - begin)
  }

  /// What the axes leave out is lost to an agent and had a part in the pictures: from here on the decoder draws without it,
  /// and the encoder keeps what matters where the axes look.
  private mutating func layAxes() throws {
    encoder = try standardized()
    optimizer = Adam(of: Taught(model: encoder.model, dynamics: dynamics), learningRate: settings.learningRate)
  }

  /// Freezes the encoder, with latents standardised on all recorded frames.
  ///
  /// - Throws: `NotFinite` if the last update left a parameter that is not a number.
  public func finished() throws -> LatentEncoder<Model> {
    guard encoder.axes != nil else { return try standardized() }
    try requireFinite(encoder.model, step: step)
    return encoder
  }

  private func standardized() throws -> LatentEncoder<Model> {
    try requireFinite(encoder.model, step: step)
    var frozen = LatentEncoder(model: encoder.model, preparation: encoder.preparation, target: encoder.target)
    frozen.standardize(
      on: frozen.encodeAll(recording), alongAxesWithin: settings.form == .smooth ? recording.episodes : nil)
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

/// What an update changes: the autoencoder, and what reads the actions from its latents.
private struct Taught<Model: Autoencoder>: Module {
  var model: Model
  var dynamics: InverseDynamics?

  mutating func visit(_ visitor: inout some ParameterVisitor) {
    visitor("model", &model)
    guard var reader = dynamics else { return }
    visitor("dynamics", &reader)
    dynamics = reader
  }
}

/// Σ w d² / Σ w for each frame of `[B, C, H, W]`.
func frameErrors(_ difference: Tensor, _ weights: Tensor) -> [Double] {
  let errors = (square(difference) * weights).reshaped(difference.shape[0], -1).sum(axis: 1)
  return (errors / weights.reshaped(difference.shape[0], -1).sum(axis: 1)).doubles
}
