import Core

/// What an agent observes, as a setting.
public enum ObservationKind: String, ChoiceSetting, Hashable {
  /// Latents of an encoder.
  case latent
  /// The true state.
  case state
}

/// The settings of where and how the encoder learns.
public struct EncoderSettings: SettingsGroup, Hashable {
  public var observe = ObservationKind.latent
  public var place = "frozen"
  /// The run directory of a pretraining or a training; empty: the newest pretraining for the environment and view.
  public var autoencoder = ""
  public var learningRate = 1e-3
  public var period = 1
  public var tau = 1.0
  public var reconstructionWeight = 1.0
  public var shift = 4
  public var retrainRounds = 2
  public var retrainEvery = 20_000
  public var retrainSteps = 500
  public var retrainActionWeight = 0.1
  public var retrainRewardWeight = 0.1
  public var retrainLatentWeight = 0.1

  public init() {}

  /// Whether a setting has an effect at a place; at none of them it has one on the true state.
  public static func hasEffect(_ key: String, at place: Place?) -> Bool {
    guard let place else { return [\.observe, \.place, \.autoencoder].map(self.key(of:)).contains(key) }
    let (always, inRounds) = (place.when == .eachUpdate, place.when == .rounds)
    return switch key {
    case self.key(of: \.learningRate), self.key(of: \.period): always
    case self.key(of: \.tau): always && place.losses.contains(.critic)
    case self.key(of: \.reconstructionWeight): always && place.losses.contains(.reconstruction)
    case self.key(of: \.shift): place.shifts
    case self.key(of: \.retrainActionWeight): inRounds && place.losses.contains(.actions)
    case self.key(of: \.retrainRewardWeight): inRounds && place.losses.contains(.rewards)
    case self.key(of: \.retrainLatentWeight): inRounds && place.losses.contains(.cachedLatents)
    case self.key(of: \.retrainRounds), self.key(of: \.retrainEvery), self.key(of: \.retrainSteps): inRounds
    default: true
    }
  }

  public static let title = "encoder"
  public static var fields: [Field<Self>] {
    [
      Field("observe", \.observe, "what the agent observes: latents, or the true state"),
      Field(
        "encoder", \.place, kind: "place of the encoder", among: Places.all.map(\.id),
        "the place: what the encoder starts from, which losses train it, and when"),
      Field(
        "autoencoder", \.autoencoder,
        "run directory of the pretraining or training whose encoder is used; none: the newest pretraining on the same "
          + "environment and frames"
      ),
      Field(
        "encoder-learning-rate", \.learningRate, 0...1, "Adam's step size for an encoder that learns at each update"),
      Field("encoder-period", \.period, 1...1000, "updates of the agent per update of the encoder"),
      Field(
        "encoder-tau", \.tau, 0...1,
        "fraction by which the target encoder moves toward the encoder at each of its updates; 1: no target encoder"
      ),
      Field(
        "reconstruction-weight", \.reconstructionWeight, 0...1e6,
        "weight of the reconstruction loss relative to the critic's loss"),
      Field("shift", \.shift, 0...64, "augmented and joint-augmented: the largest random shift of a frame, in pixels"),
      Field(
        "retrain-rounds", \.retrainRounds, 0...100_000,
        "rounds and bursts: the number of rounds; 0: no limit"),
      Field(
        "retrain-every", \.retrainEvery, 1...Int.max,
        "rounds and bursts: simulator steps between rounds; a round comes after an evaluation of the same step"),
      Field("retrain-steps", \.retrainSteps, 1...Int.max, "rounds and bursts: updates of the encoder per round"),
      Field(
        "retrain-action-weight", \.retrainActionWeight, 0.000001...1000,
        "bursts: weight of predicting the actions from three consecutive latents"),
      Field(
        "retrain-reward-weight", \.retrainRewardWeight, 0...1000,
        "bursts: weight of predicting the rewards from three consecutive latents"),
      Field(
        "retrain-latent-weight", \.retrainLatentWeight, 0...1000,
        "bursts: weight of the distance of latents from those that the agent was trained on"),
    ]
  }
}
