import Autoencoders
import Core
import Networks
import Replay
import Representations
import Tensors

/// The training of an encoder by regression on the true state.
///
/// No agent may use such an encoder, because it needs the state. It shows what a kind of encoder can represent on given
/// frames: the state probe of its latents is the best that a better training could reach with the same network.
public struct SupervisedTraining: Sendable {
  /// Updates of encoder and regression.
  public var updates = 2500
  /// Histories of frames per update.
  public var batch = 32
  public var learningRate = 2e-3

  public init() {}

  /// The factor on differences of latents, which are not standardised here.
  private static let differenceScale: Float = 20

  /// Returns an encoder of the same kind and settings as `encoder`, trained from random weights, and standardised on
  /// the recording.
  ///
  /// - Parameters:
  ///   - recording: frames and true states.
  ///   - frames: the number of latents that the regression takes, as an agent does.
  ///   - angles: the components that wrap after a full turn.
  /// - Throws: `NotFinite` if the loss is not finite.
  public func encoder<Model: Autoencoder>(
    like encoder: LatentEncoder<Model>, on recording: Recording, frames: Int, angles: Set<String>, seed: Seed,
    progress: (Int) -> Void = { _ in }
  ) throws -> LatentEncoder<Model> {
    var (initial, random) = (seed.stream("initial weights"), seed.stream("frames"))
    var encoder = try LatentEncoder(
      model: Model(
        frame: encoder.preparation.shape.stacked(encoder.frameStack),
        isBackgroundSubtracted: encoder.preparation.background.contains { $0 != 0 }, settings: encoder.model.settings,
        using: &initial),
      preparation: encoder.preparation, frameStack: encoder.frameStack, target: encoder.target)
    let targets = StateTargets(of: recording, angles)
    let size = encoder.model.latentSize
    let layout = HistoryLayout(
      latentSize: size, frames: frames, actions: 0, actionSpace: recording.actionSpace,
      differenceScale: Self.differenceScale)
    var trained = SupervisedModules(
      model: encoder.model,
      regression: MultilayerPerceptron(
        layout.observationSize, hidden: [128, 128], targets.names.count, layerNorm: true, using: &initial))
    var optimizer = Adam(of: trained, learningRate: learningRate)
    let schedule = LearningRateSchedule(
      rate: learningRate, warmUpSteps: min(50, updates), steps: updates, finalFraction: 0.05)

    // J = E[|f(z_t, κ (z_t - z_{t-1}), …) - s_t|²],  s the standardised state
    for step in 0..<updates {
      let rows = (0..<batch).map { _ in random.integer(below: recording.count) }
      let x = encoder.prepare(recording, rows.flatMap { recording.stack($0, of: frames) })  // [B L, C, H, W]
      let s = targets.standardized.gatheringRows(rows)  // [B, S]
      let (loss, gradient) = valueWithGradient(at: trained) { trained in
        let z = trained.model.encode(x).reshaped(batch, frames * size)  // the oldest first
        let newestFirst = (0..<frames).reversed().map { z.columns($0 * size..<($0 + 1) * size) }
        return meanSquared(trained.regression(layout.observation(newestFirst, [])) - s)
      }
      try requireFinite(["regression/loss": loss], step: step, in: trained.model)
      optimizer.learningRate = schedule.rate(at: step)
      optimizer.update(&trained, along: gradient)
      progress(step + 1)
    }
    encoder.model = trained.model
    encoder.standardize(on: encoder.encodeAll(recording))
    return encoder
  }
}

private struct SupervisedModules<Model: Autoencoder>: Module {
  var model: Model
  var regression: MultilayerPerceptron

  mutating func visit(_ visitor: inout some ParameterVisitor) {
    visitor("model", &model)
    visitor("regression", &regression)
  }
}
