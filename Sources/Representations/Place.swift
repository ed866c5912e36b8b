import Core

/// Where the autoencoder is in reinforcement learning on pixels: what the encoder starts from, what teaches it and when.
///
/// A place is a row of `Places.all`, and `EncodedFrames` does what the row says. A new one is a file with an extension like
/// the one below, and one line in the list. A checkpoint has its name.
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
    start: .either, keeps: .frames, teachers: [.reconstruction], when: .eachUpdate, batch: 32)
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
