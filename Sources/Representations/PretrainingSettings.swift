import Autoencoders
import Core

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
  public var updates: Int { steps + (form == .smooth ? axesSteps : 0) }

  /// A setting that looks at as many frames in a row as `InverseDynamics`, and what to give instead; nil: none does.
  public var needingFramesInARow: (setting: String, instead: String)? {
    if actionWeight > 0 { return ("--action-weight", "--action-weight 0") }
    return form == .smooth ? ("--latent-form smooth", "--latent-form each") : nil
  }
}

public enum FrameSampling: String, ChoiceSetting, Hashable {
  case uniform
  case motion
  case error
}
