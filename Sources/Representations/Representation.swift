import Agents
import Core
import Environments
import Pixels
import Replay
import Tensors

/// What is there to be seen at a moment of an episode.
public struct Moment: Sendable {
  /// The frame and those before it, the oldest first, as many as a representation sees together; empty where it sees none.
  public let frames: [PixelBuffer]
  /// The true state as an agent would see it.
  public let state: [Double]

  public init(frames: [PixelBuffer], state: [Double]) {
    (self.frames, self.state) = (frames, state)
  }
}

/// What an agent is given of a moment: a latent `[Z]` of its frame, or its true state; and how that goes on learning beside
/// the agent.
///
/// The way of the data, once for every representation:
///
///     Environment.step -> Moment, drawn once -> latents -> replay buffer -> draw -> batch -> Agent.update -> Lesson -> learn
///
/// Histories are made of latents (`HistoryLayout`), so that a representation says what one moment is.
public protocol Representation: Sendable, Codable {
  /// Numbers of a moment's latent, Z.
  var latentSize: Int { get }
  /// Frames that are seen together, S; 0: none, the true state is.
  var frameStack: Int { get }
  /// What the replay buffer keeps of a moment.
  var memory: ReplayMemory { get }
  /// Changes of what is seen so far: where it differs, the same frame has another latent.
  var revision: Int { get }

  /// `[N, Z]` of N moments.
  func latents(of moments: [Moment]) -> Tensor
  /// `[N, Z]` of all recorded moments.
  func latents(of recording: Recording) -> Tensor
  /// `[N, Z]` of frames that the replay buffer keeps.
  func latents(of frames: ReplayFrames) -> Tensor

  /// A batch for the agent, and what `learn` needs of how it was seen; nil where the agent's lesson teaches nothing.
  mutating func batch(of draw: ReplayDraw, from replay: borrowing ReplayBuffer) -> (Batch, BatchEncoding?)
  /// Learns beside the agent: from what the agent's update gave, and from the frames of the batch.
  mutating func learn(from lesson: Lesson, _ sight: BatchEncoding?) throws -> Metrics
  /// Learns from what the replay buffer holds, and sees that anew; nil where no round is due.
  ///
  /// - Parameter step: simulator steps so far.
  mutating func learn(from replay: inout ReplayBuffer, step: Int) throws -> Metrics?
  /// The agent begins to act after so many simulator steps.
  mutating func begin(at step: Int)
  /// Throws `NotFinite` where what is seen is no number any more.
  func requireFinite(step: Int) throws
}

extension Representation {
  public var memory: ReplayMemory { .latents }
  public var revision: Int { 0 }
  public func latents(of frames: ReplayFrames) -> Tensor { preconditionFailure("no frames are kept") }

  public mutating func batch(of draw: ReplayDraw, from replay: borrowing ReplayBuffer) -> (Batch, BatchEncoding?) {
    (replay.batch(of: draw), nil)
  }
  public mutating func learn(from lesson: Lesson, _ sight: BatchEncoding?) throws -> Metrics { [:] }
  public mutating func learn(from replay: inout ReplayBuffer, step: Int) throws -> Metrics? { nil }
  public mutating func begin(at step: Int) {}
  public func requireFinite(step: Int) throws {}
}

/// How a batch was seen, kept from its making until the agent has learned from it.
public struct BatchEncoding: Sendable {
  /// From the gradient of latents `[U, Z]` to that of the encoder.
  let encoding: Pullback?
  /// From the gradient of observations `[B, O]` to that of the latents.
  let history: Pullback?
  /// Standardised latents `[U, Z]` of all frames that the observations are made of, and these frames, prepared:
  /// `[U, S C, H, W]`.
  let latents: Tensor
  let frames: Tensor
  /// The rows of the present moments among them, B of them.
  let rows: [Int]
}

/// The true state: what the same agent could do if nothing were lost on the way through pixels.
public struct TrueState: Representation {
  public let latentSize: Int
  public var frameStack: Int { 0 }

  public init(_ spec: EnvironmentSpec) { latentSize = spec.observationNames.count }

  public func latents(of moments: [Moment]) -> Tensor {
    Tensor(moments.flatMap { $0.state.map(Float.init) }, [moments.count, latentSize])
  }

  public func latents(of recording: Recording) -> Tensor {
    Tensor(recording.observations.map(Float.init), [recording.count, latentSize])
  }
}
