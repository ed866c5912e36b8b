import Core

/// Where the encoder learns in reinforcement learning from pixels: its initial weights, its losses and its schedule.
///
/// `EncodedFrames` implements all places. To add a place, write a file with an extension like the one below and add a
/// line to `Places.catalog`. A checkpoint stores the place's name.
public struct Place: Sendable, Hashable {
  /// The name on the command line: `pixelrl train --encoder joint`.
  public var id: String
  /// One sentence for the catalog.
  public var note: String
  public var start: Start
  public var stores: Memory
  public var losses: Set<Loss>
  public var when: Schedule
  /// Whether frames are shifted by up to `--shift` pixels when they are drawn, each transition by its own shift (Yarats
  /// et al. 2021).
  public var shifts = false
  /// The default kind of encoder for a random start; nil: the catalog's first.
  public var kind: String?
  /// The default number of stacked frames of a new encoder; nil: one.
  public var frameStack: Int?
  /// The default batch size, smaller because each transition has several frames to encode; nil: that of the agent.
  public var batch: Int?

  /// The defaults are those of the properties.
  public init(
    id: String, note: String, start: Start, stores: Memory, losses: Set<Loss>, when: Schedule, shifts: Bool = false,
    kind: String? = nil, frameStack: Int? = nil, batch: Int? = nil
  ) {
    (self.id, self.note) = (id, note)
    (self.start, self.stores, self.losses, self.when) = (start, stores, losses, when)
    (self.shifts, self.kind, self.frameStack, self.batch) = (shifts, kind, frameStack, batch)
  }

  public enum Start: Sendable { case pretrained, random, either }
  public enum Memory: Sendable { case latents, frames, latentsAndFrames }
  public enum Schedule: Sendable { case never, eachUpdate, rounds }
  public enum Loss: Sendable {
    /// The critics' loss, through its gradient with respect to the observation.
    case critic
    /// The reconstruction error.
    case reconstruction
    /// The error of predicting the actions from three consecutive latents.
    case actions
    /// The error of predicting the rewards from them.
    case rewards
    /// The distance of the latents from those that the agent was trained on.
    case cachedLatents
  }

  /// Whether the agent observes a history of latents by default. An encoder of stacked frames that the critic trains needs
  /// none, as in DrQ (Yarats et al. 2021); any other does much better with one (experiments/results/encoders).
  public func needsHistory(frameStack: Int) -> Bool { frameStack == 1 || !losses.contains(.critic) }

  /// Whether the agent must learn from batches drawn from replay.
  public var needsBatches: Bool { when == .eachUpdate }
}

/// All places.
public enum Places {
  public static let catalog = Catalog<Place>(
    of: "place of the encoder",
    [.frozen, .random, .rounds, .bursts, .parallel, .finetune, .joint, .criticOnly, .augmented, .jointAugmented]
  ) { $0.id }

  public static var all: [Place] { catalog.all }

  public static func named(_ id: String) throws -> Place { try catalog.named(id) }
}

extension Place: Codable {
  public init(from decoder: any Decoder) throws {
    let container = try decoder.singleValueContainer()
    do { self = try Places.named(container.decode(String.self)) } catch let error as InputError {
      throw DecodingError.dataCorruptedError(in: container, debugDescription: error.description)
    }
  }

  public func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    try container.encode(id)
  }
}

extension Place {
  public static let frozen = Place(
    id: "frozen", note: "pretrained and then fixed; replay stores latents", start: .pretrained, stores: .latents,
    losses: [], when: .never)
  public static let random = Place(
    id: "random", note: "the same network with fixed random weights, as a baseline for pretraining",
    start: .random, stores: .latents, losses: [], when: .never)
  public static let rounds = Place(
    id: "rounds", note: "pretrained, then trained further on all frames in replay every --retrain-every steps",
    start: .pretrained, stores: .latentsAndFrames, losses: [.reconstruction], when: .rounds)
  public static let bursts = Place(
    id: "bursts",
    note:
      "as rounds, with losses that predict actions and rewards from the latents and keep these near their old values",
    start: .pretrained, stores: .latentsAndFrames, losses: [.reconstruction, .actions, .rewards, .cachedLatents],
    when: .rounds)
  public static let parallel = Place(
    id: "parallel", note: "trained by the reconstruction loss only, at each update of the agent",
    start: .either, stores: .frames, losses: [.reconstruction], when: .eachUpdate, batch: 32)
  public static let finetune = Place(
    id: "finetune", note: "pretrained, then trained by critic and reconstruction at each update (SAC+AE, Yarats 2019)",
    start: .pretrained, stores: .frames, losses: [.critic, .reconstruction], when: .eachUpdate, batch: 32)
  public static let joint = Place(
    id: "joint", note: "from random weights, trained by critic and reconstruction at each update (SAC+AE, Yarats 2019)",
    start: .random, stores: .frames, losses: [.critic, .reconstruction], when: .eachUpdate, batch: 32)
  public static let criticOnly = Place(
    id: "critic-only", note: "trained by the critic only: reinforcement learning end to end", start: .either,
    stores: .frames, losses: [.critic], when: .eachUpdate, kind: "conv", frameStack: 3, batch: 64)
  public static let augmented = Place(
    id: "augmented",
    note: "as critic-only, on frames that are randomly shifted when they are drawn (DrQ, Yarats 2021)",
    start: .either, stores: .frames, losses: [.critic], when: .eachUpdate, shifts: true, kind: "conv", frameStack: 3,
    batch: 64)
  public static let jointAugmented = Place(
    id: "joint-augmented",
    note: "trained by critic and reconstruction at each update, on frames shifted as in augmented",
    start: .either, stores: .frames, losses: [.critic, .reconstruction], when: .eachUpdate, shifts: true, batch: 32)
}
