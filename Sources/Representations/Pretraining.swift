import Autoencoders
import Core
import Formats
import Networks
import Pixels
import Replay
import Tensors

/// Trains an autoencoder on recorded frames.
///
/// The loss is Σ w (x̂ - x)² / Σ w plus the model's penalty, where w is 1, or more for pixels that differ from the
/// background: a plain mean square forgets small things that move. Added to it, if wanted, is how badly the actions can be
/// told from the latents.
public struct Pretraining<Model: Autoencoder, Frames: RecordedFrames>: Sendable {
  public let settings: PretrainingSettings
  public private(set) var encoder: LatentEncoder<Model>
  public private(set) var step = 0
  /// What reads the actions; nil where pixels alone teach.
  private var dynamics: InverseDynamics?
  /// What reads the rewards, with these and their weight; nil where they do not teach.
  private var rewards: RewardLesson?
  /// Where latents are to stay, with the weight of that; nil where they may move.
  private var anchor: (latents: Tensor, weight: Double)?
  private let recording: Frames
  /// Updates in all; after the first `settings.steps` of them axes are laid.
  private let updates: Int
  private var optimizer: Adam
  private var sampler: FrameSampler
  private var random: Random

  /// All that the future depends on, but for the frames.
  public struct State: Codable {
    let encoder: LatentEncoder<Model>
    let dynamics: InverseDynamics?
    let step: Int
    let optimizer: Adam
    let sampler: FrameSampler
    let random: Random
  }

  /// - Throws: `InputError` that says what keeps a stored state, which has the form of this one, from going on.
  public func check(_ state: State) throws {
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
  public var state: State {
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

  /// Trains an encoder further. Its background and the standardisation of its latents stay, and its decoder draws from what
  /// the agent is given: what axes leave out of a latent could otherwise come to hold what matters.
  public init(
    continuing encoder: LatentEncoder<Model>, on recording: Frames, settings: PretrainingSettings, seed: Seed
  ) {
    self.init(encoder, updates: settings.steps, on: recording, settings: settings, seed: seed)
  }

  fileprivate init(
    _ encoder: LatentEncoder<Model>, updates: Int, on recording: Frames, settings: PretrainingSettings, seed: Seed
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
    let taught = TrainedModules(model: encoder.model, dynamics: dynamics, rewards: nil)
    optimizer = Adam(of: taught, learningRate: settings.learningRate)
  }

  private var taught: TrainedModules<Model> {
    TrainedModules(model: encoder.model, dynamics: dynamics, rewards: rewards?.reader)
  }

  public var isDone: Bool { step >= updates }

  /// One update.
  ///
  /// - Throws: `NotFinite` if the loss is not a number.
  public mutating func update() throws -> Metrics {
    if step == settings.steps && !isDone { try layAxes() }
    let indices = frames()
    let x = prepared(indices)  // [B, C, H, W]
    let reconstruction = ReconstructionLoss(of: x, by: encoder, settings)
    var error = 0.0
    var difference = x  // of what is drawn from what should be
    var (actionError, rewardError): (Double?, Double?)
    var taught = taught
    let (loss, gradient) = valueWithGradient(at: taught) { taught in
      let z = taught.model.encode(x)
      let terms = reconstruction(taught.model, from: encoder.asSeen(z), z)
      (error, difference) = (terms.error.item, terms.difference.detached)
      var loss = terms.loss
      if let reading = taught.dynamics?.loss(z, actions: actions(indices)) {
        actionError = reading.item
        loss = loss + reading * settings.actionWeight
      }
      if let rewards, let reading = taught.rewards?.loss(z, rewards: rewards.of(indices)) {
        rewardError = reading.item
        loss = loss + reading * rewards.weight
      }
      if let anchor {
        loss = loss + meanSquared(encoder.standardized(z) - anchor.latents.gatheringRows(indices)) * anchor.weight
      }
      return loss
    }
    try requireFinite(["autoencoder/loss": loss], step: step, in: encoder.model)
    optimizer.learningRate = learningRate
    optimizer.update(&taught, along: gradient)
    (encoder.model, dynamics) = (taught.model, taught.dynamics)
    if let reader = taught.rewards { rewards?.reader = reader }
    sampler.note(indices) { frameErrors(difference, reconstruction.weights) }
    step += 1
    var metrics: Metrics = [
      "autoencoder/loss": loss, "autoencoder/error": error, "autoencoder/rate": optimizer.learningRate,
    ]
    if let actionError { metrics["autoencoder/action-error"] = actionError }
    if let rewardError { metrics["autoencoder/reward-error"] = rewardError }
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
    optimizer = Adam(of: taught, learningRate: settings.learningRate)
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
    var frozen = LatentEncoder(
      model: encoder.model, preparation: encoder.preparation, frameStack: encoder.frameStack, target: encoder.target)
    frozen.standardize(
      on: frozen.encodeAll(recording), alongAxesWithin: settings.form == .smooth ? recording.episodes : nil)
    return frozen
  }

  private func prepared(_ indices: [Int]) -> Tensor {
    encoder.prepare(recording, indices)
  }
}

extension Pretraining where Frames == Recording {
  public init(
    _ kind: Model.Type, on recording: Recording, frameStack: Int = 1, modelSettings: Model.Settings,
    settings: PretrainingSettings, seed: Seed
  ) throws {
    if let (setting, instead) = settings.needingFramesInARow, !recording.hasEpisode(ofFrames: InverseDynamics.frames) {
      throw InputError("\(setting) needs episodes of \(InverseDynamics.frames - 1) actions at least: give \(instead)")
    }
    var initial = seed.stream("initial weights")
    let encoder = try LatentEncoder<Model>(
      untrainedFor: recording, frameStack: frameStack, modelSettings: modelSettings, settings, using: &initial)
    self.init(encoder, updates: settings.updates, on: recording, settings: settings, seed: seed)
  }
}

extension LatentEncoder {
  /// An encoder with random weights, whose background is that of recorded frames. Its latents are not standardised.
  ///
  /// - Throws: `InputError` if the kind cannot take frames of this size.
  public init(
    untrainedFor recording: Recording, frameStack: Int = 1, modelSettings: Model.Settings,
    _ settings: PretrainingSettings, using random: inout Random
  ) throws {
    let shape = FrameShape(height: recording.height, width: recording.width, channels: recording.format.channels)
    let model = try Model(
      frame: shape.stacked(frameStack), isBackgroundTakenAway: settings.background, settings: modelSettings,
      using: &random)
    self.init(
      model: model,
      preparation: settings.background
        ? FramePreparation(shape: shape, medianOf: recording.count) { recording.frame($0).bytes }
        : FramePreparation(shape: shape), frameStack: frameStack,
      target: ReconstructionTarget(blur: settings.targetBlur, gain: settings.targetGain))
  }
}

extension PretrainingSettings {
  /// 1 + changeWeight · [|x| > threshold], for x the difference from the background.
  func changeWeights(_ x: Tensor) -> Tensor {
    let (threshold, extra) = (Float(changeThreshold), Float(changeWeight))
    return x.withElements { x in
      Tensor([x.count], of: Float.self) { w in
        for i in 0..<x.count { w[i] = x[i] > threshold || x[i] < -threshold ? 1 + extra : 1 }
      }
    }.reshaped(x.shape)
  }
}

/// What an update changes: the autoencoder, and what reads the actions from its latents.
private struct TrainedModules<Model: Autoencoder>: Module {
  var model: Model
  var dynamics: InverseDynamics?
  var rewards: RewardReading?

  mutating func visit(_ visitor: inout some ParameterVisitor) {
    visitor("model", &model)
    if var reader = dynamics {
      visitor("dynamics", &reader)
      dynamics = reader
    }
    if var reader = rewards {
      visitor("rewards", &reader)
      rewards = reader
    }
  }
}

/// The rewards that followed frames, and what learns to read them.
private struct RewardLesson: Sendable {
  var reader: RewardReading
  let rewards: [Float]
  let weight: Double

  /// Of the first frames of threes, then of the second.
  func of(_ indices: [Int]) -> [Float] {
    (0..<2).flatMap { frame in
      stride(from: frame, to: indices.count, by: InverseDynamics.frames).map { rewards[indices[$0]] }
    }
  }
}

extension Pretraining where Frames == ReplayFrames {
  /// Trains an encoder further on what a replay buffer holds, taught by rewards and by the latents that the agent knows as
  /// well.
  public init(
    continuing encoder: LatentEncoder<Model>, on frames: ReplayFrames, settings: PretrainingSettings,
    rewardWeight: Double, latentWeight: Double, seed: Seed
  ) {
    precondition(settings.actionWeight > 0, "rewards are read from the latents of which actions are read")
    self.init(continuing: encoder, on: frames, settings: settings, seed: seed)
    var initial = seed.stream("reward reading")
    let reader = RewardReading(latentSize: encoder.model.latentSize, using: &initial)
    let size = max(frames.rewards.reduce(0) { max($0, abs($1)) }, 1e-6)
    rewards = RewardLesson(reader: reader, rewards: frames.rewards.map { $0 / size }, weight: rewardWeight)
    anchor = (Tensor(frames.latents, [frames.count, encoder.latentSize]), latentWeight)
    optimizer = Adam(of: taught, learningRate: settings.learningRate)
  }
}

/// Σ w d² / Σ w for each frame of `[B, C, H, W]`.
func frameErrors(_ difference: Tensor, _ weights: Tensor) -> [Double] {
  let errors = (square(difference) * weights).reshaped(difference.shape[0], -1).sum(axis: 1)
  return (errors / weights.reshaped(difference.shape[0], -1).sum(axis: 1)).doubles
}
