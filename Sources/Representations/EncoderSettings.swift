import Core

/// What an agent sees, as one types it.
public enum ObservationKind: String, ChoiceSetting, Hashable {
  /// Latents of an encoder.
  case latent
  /// The true state.
  case state
}

/// Where the encoder learns, as settings.
public struct EncoderSettings: SettingsGroup, Hashable {
  public var observe = ObservationKind.latent
  public var place = "frozen"
  /// The folder of a pretraining or a training; empty: the newest that fits the environment and the view.
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
  public static let title = "encoder"
  public static var fields: [Field<Self>] {
    [
      Field("observe", \.observe, "what the agent sees: latents, or the true state"),
      Field(
        "encoder", \.place, kind: "place of the encoder", among: Places.all.map(\.id), "where the encoder learns"),
      Field(
        "autoencoder", \.autoencoder,
        "the folder of a pretraining, or of a training whose encoder is taken; none: the newest pretraining that fits"),
      Field("encoder-learning-rate", \.learningRate, 0...1, "Adam's step size where the encoder learns at each update"),
      Field("encoder-period", \.period, 1...1000, "updates of the agent for one of the encoder"),
      Field(
        "encoder-tau", \.tau, 0...1,
        "how far the encoder of the target critics follows at each update of the encoder; 1: they see through the encoder itself"
      ),
      Field(
        "reconstruction-weight", \.reconstructionWeight, 0...1e6,
        "weight of the reconstruction beside the critic's loss"),
      Field("shift", \.shift, 0...64, "augmented: the farthest that a frame is shifted, in pixels"),
      Field(
        "retrain-rounds", \.retrainRounds, 0...100_000,
        "rounds and bursts: how often the encoder is trained further; 0: as often as there is time"),
      Field("retrain-every", \.retrainEvery, 1...Int.max, "rounds and bursts: simulator steps between them"),
      Field("retrain-steps", \.retrainSteps, 1...Int.max, "rounds and bursts: updates of the encoder in each"),
      Field(
        "retrain-action-weight", \.retrainActionWeight, 0.000001...1000,
        "bursts: weight of reading the actions from three latents in a row"),
      Field(
        "retrain-reward-weight", \.retrainRewardWeight, 0...1000, "bursts: weight of reading the rewards from them"),
      Field(
        "retrain-latent-weight", \.retrainLatentWeight, 0...1000,
        "bursts: weight of how far latents move from what the agent knows"),
    ]
  }
}
