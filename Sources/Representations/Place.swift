import Autoencoders
import Core

/// Where the autoencoder is in reinforcement learning on pixels: what the encoder starts from, what teaches it and when.
///
/// A place is a row of `Places.all`, and `EncodedFrames` does what the row says. A new one is a file with an extension like
/// those of `Places.swift`, and one line in the list.
public struct Place: Sendable, Hashable {
  /// What one types: `pixelrl train --encoder joint`.
  public var id: String
  /// One sentence for the catalog.
  public var note: String
  public var start: Start
  public var keeps: Memory
  public var teachers: Set<Teacher>
  public var when: Schedule
  /// Frames are shifted by up to `--shift` pixels when they are drawn, each transition in its own way (Yarats et al. 2021).
  public var shifts = false
  /// The kind of encoder for a random start, unless one is given; nil: the catalog's first.
  public var kind: String?
  /// Frames that a new encoder sees together unless given: with several, no history of latents is needed; nil: one.
  public var frameStack: Int?
  /// Transitions of an update unless given, since each costs several frames to encode; nil: as the agent has it.
  public var batch: Int?

  public enum Start: Sendable { case pretrained, random, either }
  public enum Memory: Sendable { case latents, frames, latentsAndFrames }
  public enum Schedule: Sendable { case never, eachUpdate, rounds }
  public enum Teacher: Sendable {
    /// The critics' loss, by its gradient of the observation.
    case critic
    /// The decoder's error.
    case reconstruction
    /// How badly the actions are read from three latents in a row.
    case actions
    /// How badly the rewards are read from them.
    case rewards
    /// How far the latents move from what the agent knows.
    case cachedLatents
  }

  /// Whether the decoder is needed.
  public var needsDecoder: Bool { start == .pretrained || teachers.contains(.reconstruction) }
  /// Whether only an agent fits that learns from batches drawn from replay.
  public var needsBatches: Bool { when == .eachUpdate }
}

/// The places, by what one types.
public enum Places {
  public static let all: [Place] = [
    .frozen, .random, .rounds, .bursts, .parallel, .finetune, .joint, .criticOnly, .augmented,
  ]

  public static func named(_ id: String) throws -> Place {
    guard let place = all.first(where: { $0.id == id }) else {
      throw InputError.unknown("place of the encoder", id, known: all.map(\.id))
    }
    return place
  }
}

extension Place {
  public static let frozen = Place(
    id: "frozen", note: "pretrained, then left as it is: replay keeps latents", start: .pretrained, keeps: .latents,
    teachers: [], when: .never)
  public static let random = Place(
    id: "random", note: "the same network with random weights, left as it is: what pretraining is worth",
    start: .random, keeps: .latents, teachers: [], when: .never)
  public static let rounds = Place(
    id: "rounds", note: "pretrained, then trained further on all frames every --retrain-every steps",
    start: .pretrained, keeps: .latentsAndFrames, teachers: [.reconstruction], when: .rounds)
  public static let bursts = Place(
    id: "bursts",
    note: "as rounds, and beside the reconstruction latents must tell actions and rewards and stay near what they were",
    start: .pretrained, keeps: .latentsAndFrames, teachers: [.reconstruction, .actions, .rewards, .cachedLatents],
    when: .rounds)
  public static let parallel = Place(
    id: "parallel", note: "taught by the reconstruction at each update of the agent, which teaches it nothing",
    start: .either, keeps: .frames, teachers: [.reconstruction], when: .eachUpdate)
  public static let finetune = Place(
    id: "finetune", note: "pretrained, then taught by critic and reconstruction at each update (SAC+AE, Yarats 2019)",
    start: .pretrained, keeps: .frames, teachers: [.critic, .reconstruction], when: .eachUpdate, batch: 32)
  public static let joint = Place(
    id: "joint", note: "from random weights, taught by critic and reconstruction at each update (SAC+AE, Yarats 2019)",
    start: .random, keeps: .frames, teachers: [.critic, .reconstruction], when: .eachUpdate, batch: 32)
  public static let criticOnly = Place(
    id: "critic-only", note: "taught by the critic alone: reinforcement learning end to end", start: .either,
    keeps: .frames, teachers: [.critic], when: .eachUpdate, kind: "conv", frameStack: 3, batch: 64)
  public static let augmented = Place(
    id: "augmented",
    note: "as critic-only, on frames that are shifted at random when they are drawn (DrQ, Yarats 2021)",
    start: .either, keeps: .frames, teachers: [.critic], when: .eachUpdate, shifts: true, kind: "conv", frameStack: 3,
    batch: 64)
}

/// What an agent sees, as one types it.
public enum ObservedKind: String, ChoiceSetting, Hashable {
  /// Latents of an encoder.
  case latent
  /// The true state.
  case state
}

/// Where the encoder learns, as settings.
public struct EncoderSettings: SettingsGroup, Hashable {
  public var observe = ObservedKind.latent
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
        "retrain-action-weight", \.retrainActionWeight, 0...1000,
        "bursts: weight of reading the actions from three latents in a row"),
      Field(
        "retrain-reward-weight", \.retrainRewardWeight, 0...1000, "bursts: weight of reading the rewards from them"),
      Field(
        "retrain-latent-weight", \.retrainLatentWeight, 0...1000,
        "bursts: weight of how far latents move from what the agent knows"),
    ]
  }
}
