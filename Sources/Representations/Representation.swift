import Agents
import Core
import Environments
import Pixels
import Replay
import Tensors

/// What can be observed at a moment of an episode.
public struct Moment: Sendable {
  /// The stacked frames of a representation, the oldest first; empty if it uses no frames.
  public let frames: [PixelBuffer]
  /// The true state, as an agent observes it.
  public let state: [Double]

  public init(frames: [PixelBuffer], state: [Double]) {
    (self.frames, self.state) = (frames, state)
  }
}

/// What an agent gets of a moment: a latent `[Z]` of its frame, or its true state. A representation may keep learning
/// together with the agent.
///
/// The data flow, for every representation:
///
///     Environment.step -> Moment, drawn once -> latents -> replay buffer -> draw -> batch -> Agent.update -> Lesson -> learn
///
/// Histories are made from latents (`HistoryLayout`), so a representation only represents single moments.
public protocol Representation: Sendable, Codable {
  /// The size of a moment's latent, Z.
  var latentSize: Int { get }
  /// The number of stacked frames, S; 0 for the true state.
  var frameStack: Int { get }
  /// What the replay buffer stores of a moment.
  var memory: ReplayMemory { get }
  /// The number of changes of the representation so far. If it differs, the same frame has a different latent.
  var revision: Int { get }

  /// Returns the latents `[N, Z]` of N moments.
  func latents(of moments: [Moment]) -> Tensor
  /// Returns the latents `[N, Z]` of all recorded moments.
  func latents(of recording: Recording) -> Tensor
  /// Returns the latents `[N, Z]` of frames in the replay buffer.
  func latents(of frames: ReplayFrames) -> Tensor

  /// Returns a batch for the agent, and its encoding for `learn`; nil if the representation does not learn from it.
  mutating func batch(of draw: ReplayDraw, from replay: borrowing ReplayBuffer) -> (Batch, BatchEncoding?)
  /// Learns from the result of the agent's update and from the frames of the batch.
  mutating func learn(from lesson: Lesson, _ batch: BatchEncoding?) throws -> Metrics
  /// Learns from the replay buffer and updates the latents in it. Returns nil if no round is due.
  ///
  /// - Parameters:
  ///   - step: the number of simulator steps so far.
  ///   - check: called again and again. If it throws, the representation and the replay buffer are as before.
  mutating func learn(from replay: inout ReplayBuffer, step: Int, check: () throws -> Void) throws -> Metrics?
  /// Called when the agent begins to act, after `step` simulator steps.
  mutating func begin(at step: Int)
  /// Throws `NotFinite` if the parameters are not finite.
  func requireFinite(step: Int) throws
  /// From frames to latents, for export; nil if it uses no frames.
  var graph: Graph? { get }
}

extension Representation {
  public var memory: ReplayMemory { .latents }
  public var revision: Int { 0 }
  public func latents(of frames: ReplayFrames) -> Tensor { preconditionFailure("this representation stores no frames") }

  public mutating func batch(of draw: ReplayDraw, from replay: borrowing ReplayBuffer) -> (Batch, BatchEncoding?) {
    (replay.batch(of: draw), nil)
  }
  public mutating func learn(from lesson: Lesson, _ batch: BatchEncoding?) throws -> Metrics { [:] }
  public mutating func learn(
    from replay: inout ReplayBuffer, step: Int, check: () throws -> Void
  ) throws -> Metrics? { nil }
  public mutating func begin(at step: Int) {}
  public func requireFinite(step: Int) throws {}
  public var graph: Graph? { nil }
}

/// How a batch was encoded, kept until the agent has learned from the batch.
public struct BatchEncoding: Sendable {
  /// Maps the gradient of latents `[U, Z]` to that of the encoder.
  let encoding: Pullback?
  /// Maps the gradient of observations `[B, O]` to that of the latents.
  let history: Pullback?
  /// Standardised latents `[U, Z]` of all frames that the observations are made from.
  let latents: Tensor
  /// These frames, prepared: `[U, S C, H, W]`.
  let frames: Tensor
  /// The rows of the newest frames of the observations in `frames`, B of them.
  let rows: [Int]
  /// How each of these B frames is shifted; nil if the place shifts none.
  let shifts: [Shift]?
}

/// The true state. It shows what the same agent can do without the loss of information in pixels and latents.
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
