import Autoencoders
import Core

/// The settings of pretraining an autoencoder.
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

  /// Nil, which checkpoints leave out, if all colours have the same weight. Older versions had no such weights.
  private var otherColorBalance: Double?
  /// Nil without noise, likewise.
  private var otherLatentNoise: LatentNoise?
  /// Nil without a prediction of the next frame, likewise.
  private var otherNextFrame: Double?

  public init() {}

  /// The exponent α of the weights f^-α for pixels whose colour has frequency f.
  public var colorBalance: Double {
    get { otherColorBalance ?? 0 }
    set { otherColorBalance = newValue == 0 ? nil : newValue }
  }

  /// The noise on the latents that the decoder gets.
  public var latentNoise: LatentNoise {
    get { otherLatentNoise ?? LatentNoise() }
    set { otherLatentNoise = newValue == LatentNoise() ? nil : newValue }
  }

  /// The share of the loss that is the error of the next frame, decoded from a prediction of its latent.
  public var nextFrame: Double {
    get { otherNextFrame ?? 0 }
    set { otherNextFrame = newValue == 0 ? nil : newValue }
  }

  public static let title = "pretraining"
  public static var fields: [Field<Self>] {
    [
      Field("ae-steps", \.steps, 1...Int.max, "updates of the autoencoder"),
      Field(
        "ae-batch", \.batch, 1...4096,
        "frames per update; with --action-weight or --next-frame the largest multiple of 3 in it, at least 3"),
      Field("ae-learning-rate", \.learningRate, 0...1, "Adam's step size after the warm-up"),
      Field("ae-warm-up", \.warmUp, 0...Int.max, "updates of the linear warm-up of the step size"),
      Field(
        "ae-final-rate", \.finalRate, 0...1, "final step size of the cosine schedule, as a fraction of the full one"),
      Field("background", \.background, "subtract the median image from every frame"),
      Field("change-weight", \.changeWeight, 0...1e6, "extra weight of pixels that differ from the background"),
      Field("change-threshold", \.changeThreshold, 0...1, "difference from the background that counts as change"),
      Field(
        "color-balance", \.colorBalance, 0...1,
        "exponent α of extra weights f^-α for pixels whose colour has frequency f; 1: each colour counts equally"
      )
      .addedLater(),
      Field("target-blur", \.targetBlur, 0...64, "radius in pixels of the box blur of the reconstruction target"),
      Field(
        "target-gain", \.targetGain, 0.01...1000, "factor on the reconstruction target, which is clamped to -1 to 1"),
      Field(
        "action-weight", \.actionWeight, 0...1000,
        "weight of predicting the actions from the latents of three consecutive frames; 0: not used"),
      Field(
        "next-frame", \.nextFrame, 0...1,
        "share of the loss that is the error of the next frame, decoded from a prediction of its latent from two latents "
          + "and the action; 0: only the reconstruction, 1: only the prediction"
      )
      .addedLater(),
      Field(
        "latent-noise", \.latentNoise.deviation, 0...10,
        "standard deviation of noise on the latents that the decoder gets; latents lie between -1 and 1"
      )
      .addedLater(),
      Field(
        "latent-dropout", \.latentNoise.dropout, 0...0.99,
        "probability that the decoder gets the batch's mean in place of a value of a latent"
      )
      .addedLater(),
      Field(
        "frame-sampling", \.sampling,
        "uniform: all frames are equally likely; motion or error: half of each batch is drawn in proportion to motion "
          + "or reconstruction error"),
      Field(
        "latent-form", \.form,
        "form of the latents that the agent gets. each: every value standardised; smooth: coordinates along the "
          + "principal axes that change smoothly over time"
      ),
      Field(
        "axes-steps", \.axesSteps, 0...Int.max,
        "smooth: further updates after the axes are computed, which reconstruct frames from these coordinates"),
      Field("probe-steps", \.probeSteps, 1...Int.max, "updates of the state probe"),
      Field("probe-frames", \.probeFrames, 300...1_000_000, "agent steps that the state probe is trained on"),
      Field(
        "checkpoint-every", \.checkpointEvery, 0...Int.max,
        "updates between checkpoints; 0: only at a signal and at the end"
      ),
      Field("keep-checkpoints", \.keepCheckpoints, 1...1_000_000, "number of latest checkpoints that are kept"),
    ]
  }
}

extension PretrainingSettings {
  /// - Throws: `InputError` that says what to change.
  public func check() throws(InputError) {
    // With --next-frame, one frame of each group is drawn from its prediction.
    let least = nextFrame > 0 ? 2 * InverseDynamics.frames : 2
    guard latentNoise.dropout == 0 || batch >= least else {
      throw InputError(
        "--latent-dropout takes the mean of a batch of several frames: use --ae-batch \(least) or more")
    }
  }

  /// The total number of updates.
  public var updates: Int { steps + (form == .smooth ? axesSteps : 0) }

  /// Whether batches are groups of `InverseDynamics.frames` consecutive frames.
  var drawsGroups: Bool { actionWeight > 0 || nextFrame > 0 }

  /// The setting that needs the actions between frames; nil: none does.
  public var needingActions: String? {
    if actionWeight > 0 { return "--action-weight" }
    return nextFrame > 0 ? "--next-frame" : nil
  }

  /// The setting that needs `InverseDynamics.frames` consecutive frames, and an alternative to it; nil: none does.
  public var needingConsecutiveFrames: (setting: String, instead: String)? {
    if actionWeight > 0 { return ("--action-weight", "--action-weight 0") }
    if nextFrame > 0 { return ("--next-frame", "--next-frame 0") }
    return form == .smooth ? ("--latent-form smooth", "--latent-form each") : nil
  }
}

public enum FrameSampling: String, ChoiceSetting, Hashable {
  case uniform
  case motion
  case error
}
