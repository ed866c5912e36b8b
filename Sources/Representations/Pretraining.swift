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
/// background: a plain mean square ignores small things that move. Optionally, the loss includes the error of
/// predicting the actions from the latents, or of the next frame, and the decoder gets noisy latents.
public struct Pretraining<Model: Autoencoder, Frames: RecordedFrames>: Sendable {
  public let settings: PretrainingSettings
  public private(set) var encoder: LatentEncoder<Model>
  public private(set) var step = 0
  /// The network that predicts the actions; nil if it is not used.
  private var dynamics: InverseDynamics?
  /// The network that predicts the next latent; nil if it is not used.
  private var forward: ForwardDynamics?
  /// The network that predicts the rewards, with these and the weight of its loss; nil if it is not used.
  private var rewards: RewardLoss?
  /// The latents to stay near, with the weight of that loss; nil if it is not used.
  private var anchor: (latents: Tensor, weight: Double)?
  private let recording: Frames
  /// The total number of updates. After the first `settings.steps` of them the axes are computed, if used.
  private let updates: Int
  private var optimizer: Adam
  private var sampler: FrameSampler
  private var random: Random
  private let seed: Seed

  /// The state of the training, except for the frames.
  public struct State: Codable {
    let encoder: LatentEncoder<Model>
    let dynamics: InverseDynamics?
    let forward: ForwardDynamics?
    let step: Int
    let optimizer: Adam
    let sampler: FrameSampler
    let random: Random
  }

  /// Checks that training can resume from a stored state.
  ///
  /// - Throws: `InputError` that says what is wrong.
  public func check(_ state: State) throws {
    guard (0...updates).contains(state.step) else {
      throw InputError("update \(state.step) is not one of the \(updates) updates")
    }
    let size = encoder.model.latentSize
    guard let axes = state.encoder.axes else {
      guard state.step <= settings.steps else { throw InputError("the latent's axes are missing") }
      return
    }
    guard state.step >= settings.steps, axes.count > 0, axes.directions.shape == axes.reading.shape,
      axes.reading.shape == [axes.count, size], axes.reading.precision == .float32,
      axes.directions.precision == .float32
    else { throw InputError("the axes \(axes.reading.shape) do not fit latents of size \(size)") }
  }

  /// The state that a checkpoint stores. Setting it resumes training from there.
  public var state: State {
    get {
      State(
        encoder: encoder, dynamics: dynamics, forward: forward, step: step, optimizer: optimizer, sampler: sampler,
        random: random)
    }
    set {
      (encoder, dynamics, forward) = (newValue.encoder, newValue.dynamics, newValue.forward)
      (step, optimizer, sampler, random) = (newValue.step, newValue.optimizer, newValue.sampler, newValue.random)
    }
  }

  /// Trains an encoder further. Its background and the standardisation of its latents do not change. Its decoder gets
  /// only the part of the latent that the agent gets: otherwise the part that axes omit could come to encode what
  /// matters.
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
      settings.sampling, recording, past: settings.drawsGroups ? InverseDynamics.frames - 1 : 0)
    random = seed.stream("frames")
    self.seed = seed
    if settings.actionWeight > 0 {
      var initial = seed.stream("inverse dynamics")
      dynamics = InverseDynamics(
        latentSize: encoder.model.latentSize, actionSpace: recording.actionSpace, using: &initial)
    }
    if settings.nextFrame > 0 {
      var initial = seed.stream("forward dynamics")
      forward = ForwardDynamics(
        latentSize: encoder.model.latentSize, actionSpace: recording.actionSpace, using: &initial)
    }
    let modules = TrainedModules(model: encoder.model, dynamics: dynamics, forward: forward, rewards: nil)
    optimizer = Adam(of: modules, learningRate: settings.learningRate)
  }

  private var trainedModules: TrainedModules<Model> {
    TrainedModules(model: encoder.model, dynamics: dynamics, forward: forward, rewards: rewards?.reader)
  }

  public var isDone: Bool { step >= updates }

  /// One update.
  ///
  /// - Throws: `NotFinite` if the loss is not finite.
  public mutating func update() throws -> Metrics {
    if step == settings.steps && !isDone { try computeAxes() }
    let indices = frames()
    let x = prepared(indices)  // [B, C, H, W]
    var reconstruction = ReconstructionLoss(
      of: x, by: encoder, settings, random: seed.child("latent noise").stream("\(step)"))
    var error = 0.0
    var difference = x  // reconstruction minus target
    var (actionError, predictionError, rewardError): (Double?, Double?, Double?)
    var modules = trainedModules
    let (loss, gradient) = valueWithGradient(at: modules) { modules in
      let z = modules.model.encode(x)
      let terms = reconstruction(modules.model, from: encoder.asSeen(z), z)
      (error, difference) = (terms.error.item, terms.difference.detached)
      var loss = terms.loss
      if let prediction = modules.dynamics?.loss(z, actions: actions(indices)) {
        actionError = prediction.item
        loss = loss + prediction * settings.actionWeight
      }
      if let forward = modules.forward {
        let taken = actions(indices)
        let next = forward(z, actions: taken[(taken.count / 2)...])
        let prediction = reconstruction.error(
          modules.model, from: encoder.asSeen(next),
          of: Array(stride(from: InverseDynamics.frames - 1, to: indices.count, by: InverseDynamics.frames)))
        predictionError = prediction.item
        loss = loss + settings.nextFrame * (prediction - terms.error)
      }
      if let rewards, let prediction = modules.rewards?.loss(z, rewards: rewards.of(indices)) {
        rewardError = prediction.item
        loss = loss + prediction * rewards.weight
      }
      if let anchor {
        loss = loss + meanSquared(encoder.standardized(z) - anchor.latents.gatheringRows(indices)) * anchor.weight
      }
      return loss
    }
    try requireFinite(["autoencoder/loss": loss], step: step, in: encoder.model)
    optimizer.learningRate = learningRate
    optimizer.update(&modules, along: gradient)
    (encoder.model, dynamics, forward) = (modules.model, modules.dynamics, modules.forward)
    if let reader = modules.rewards { rewards?.reader = reader }
    sampler.note(indices) { frameErrors(difference, reconstruction.weights) }
    step += 1
    var metrics: Metrics = [
      "autoencoder/loss": loss, "autoencoder/error": error, "autoencoder/rate": optimizer.learningRate,
    ]
    if let actionError { metrics["autoencoder/action-error"] = actionError }
    if let predictionError { metrics["autoencoder/next-frame-error"] = predictionError }
    if let rewardError { metrics["autoencoder/reward-error"] = rewardError }
    return metrics
  }

  /// Draws the frames of a batch; groups of three consecutive frames if actions or next frames are predicted.
  private mutating func frames() -> [Int] {
    guard settings.drawsGroups else { return sampler.sample(settings.batch, using: &random) }
    let (past, groups) = (InverseDynamics.frames - 1, max(1, settings.batch / InverseDynamics.frames))
    return sampler.sample(groups, using: &random).flatMap { $0 - past...$0 }
  }

  /// The actions at the first frame of each group of three, then those at the second.
  private func actions(_ indices: [Int]) -> [Float] {
    (0..<InverseDynamics.frames - 1).flatMap { frame in
      stride(from: frame, to: indices.count, by: InverseDynamics.frames).flatMap { recording.action(indices[$0]) }
    }
  }

  /// The learning rate of a warm-up and a cosine, which start again when the axes are computed.
  private var learningRate: Double {
    let (begin, end) = step < settings.steps ? (0, settings.steps) : (settings.steps, updates)
    let schedule = LearningRateSchedule(
      rate: settings.learningRate, warmUpSteps: min(settings.warmUp, end - begin), steps: end - begin,
      finalFraction: settings.finalRate)
    return schedule.rate(at: step - begin)
  }

  /// Computes the axes. The agent does not get the part of the latent that they omit, but the decoder did so far. From
  /// here on it does not either, so that the encoder keeps what matters along the axes.
  private mutating func computeAxes() throws {
    encoder = try standardized()
    optimizer = Adam(of: trainedModules, learningRate: settings.learningRate)
  }

  /// Returns the final encoder, with latents standardised on all recorded frames. With axes, these and the scale remain
  /// those that were computed before the last `axesSteps` updates, which drew from them.
  ///
  /// - Throws: `NotFinite` if a parameter is not finite after the last update.
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
    if let (setting, instead) = settings.needingConsecutiveFrames,
      !recording.hasEpisode(ofFrames: InverseDynamics.frames)
    {
      throw InputError("\(setting) needs episodes of at least \(InverseDynamics.frames - 1) actions: use \(instead)")
    }
    var initial = seed.stream("initial weights")
    let encoder = try LatentEncoder<Model>(
      untrainedFor: recording, frameStack: frameStack, modelSettings: modelSettings, settings, using: &initial)
    self.init(encoder, updates: settings.updates, on: recording, settings: settings, seed: seed)
  }
}

extension LatentEncoder {
  /// Creates an encoder with random weights and the background of recorded frames. Its latents are not standardised.
  ///
  /// - Throws: `InputError` if the kind does not support frames of this size.
  public init(
    untrainedFor recording: Recording, frameStack: Int = 1, modelSettings: Model.Settings,
    _ settings: PretrainingSettings, using random: inout Random
  ) throws {
    let shape = FrameShape(height: recording.height, width: recording.width, channels: recording.format.channels)
    let model = try Model(
      frame: shape.stacked(frameStack), isBackgroundSubtracted: settings.background, settings: modelSettings,
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

/// The modules that an update trains: the autoencoder, and the networks that predict actions, next latents and rewards.
private struct TrainedModules<Model: Autoencoder>: Module {
  var model: Model
  var dynamics: InverseDynamics?
  var forward: ForwardDynamics?
  var rewards: RewardPrediction?

  mutating func visit(_ visitor: inout some ParameterVisitor) {
    visitor("model", &model)
    visitor("dynamics", &dynamics)
    visitor("forward", &forward)
    visitor("rewards", &rewards)
  }
}

/// The rewards after frames, and the network that predicts them.
private struct RewardLoss: Sendable {
  var reader: RewardPrediction
  let rewards: [Float]
  let weight: Double

  /// Returns the rewards after the first frame of each group of three, then those after the second.
  func of(_ indices: [Int]) -> [Float] {
    (0..<2).flatMap { frame in
      stride(from: frame, to: indices.count, by: InverseDynamics.frames).map { rewards[indices[$0]] }
    }
  }
}

extension Pretraining where Frames == ReplayFrames {
  /// Trains an encoder further on the frames of a replay buffer, with additional losses that predict the rewards and
  /// keep the latents near their old values.
  public init(
    continuing encoder: LatentEncoder<Model>, on frames: ReplayFrames, settings: PretrainingSettings,
    rewardWeight: Double, latentWeight: Double, seed: Seed
  ) {
    precondition(settings.actionWeight > 0, "predicting rewards requires predicting actions")
    self.init(continuing: encoder, on: frames, settings: settings, seed: seed)
    var initial = seed.stream("reward reading")
    let reader = RewardPrediction(latentSize: encoder.model.latentSize, using: &initial)
    let size = max(frames.rewards.reduce(0) { max($0, abs($1)) }, 1e-6)
    rewards = RewardLoss(reader: reader, rewards: frames.rewards.map { $0 / size }, weight: rewardWeight)
    anchor = (Tensor(frames.latents, [frames.count, encoder.latentSize]), latentWeight)
    optimizer = Adam(of: trainedModules, learningRate: settings.learningRate)
  }
}

/// Returns Σ w d² / Σ w for each frame of `[B, C, H, W]`.
func frameErrors(_ difference: Tensor, _ weights: Tensor) -> [Double] {
  let errors = (square(difference) * weights).reshaped(difference.shape[0], -1).sum(axis: 1)
  return (errors / weights.reshaped(difference.shape[0], -1).sum(axis: 1)).doubles
}
