import Core
import Tensors

/// What a replay buffer stores of a moment's observation.
public struct ReplayMemory: Sendable, Hashable, Codable {
  public let keepsLatents: Bool
  /// The size of a frame in bytes; 0 if no frames are stored.
  public let frameSize: Int
  /// The number of stacked frames, including the current one. A moment needs the frames of the steps before it.
  public let frameStack: Int

  public static let latents = ReplayMemory(keepsLatents: true, frameSize: 0, frameStack: 1)
  public static func frames(of size: Int, stack: Int = 1) -> ReplayMemory {
    ReplayMemory(keepsLatents: false, frameSize: size, frameStack: stack)
  }
  public static func latentsAndFrames(of size: Int, stack: Int = 1) -> ReplayMemory {
    ReplayMemory(keepsLatents: true, frameSize: size, frameStack: stack)
  }

  /// The size in bytes of a moment with its transition.
  public func byteCount(_ layout: HistoryLayout) -> Int {
    frameSize + 4 * ((keepsLatents ? layout.latentSize : 0) + layout.actionSpace.arrayCount + 2) + 1
  }

  /// The number of past steps that an observation made from the stored data depends on. Stored latents depend on the
  /// stacked frames too, if they are encoded again.
  func reach(_ layout: HistoryLayout) -> Int { layout.reach + frameStack - 1 }
}

extension ReplayBuffer {
  /// A moment in a replay buffer: its lane, and the number of moments written to the lane before it.
  public struct Moment: Sendable, Hashable {
    public let lane: Int
    public let position: Int
  }

  /// The slots that an observation is made from.
  public struct Window: Sendable {
    /// The slots of the moments 0, 1, … steps ago. Before an episode's first frame the first one is repeated.
    public let slots: [Int]
    /// The slots of the actions 1, 2, … steps ago; nil before the episode.
    public let actions: [Int?]
  }
}

/// Drawn transitions: a batch without its observations.
public struct ReplayDraw: Sendable {
  /// The first moment of each transition, B of them.
  public let starts: [ReplayBuffer.Moment]
  /// The moment that each transition leads to.
  public let ends: [ReplayBuffer.Moment]
  /// `[B, A]`, `[B, 1]`, `[B, 1]`: as in `Batch`.
  public let action: Tensor
  public let reward: Tensor
  public let discount: Tensor
  var frequency: Tensor?
  /// The weights of the moments inside the transitions, those of the first step first; nil if not requested.
  var weightsBetween: [Float]?

  /// The moments inside the transitions, in the order of `Batch.Between`; empty if not requested.
  public var between: [ReplayBuffer.Moment] {
    (weightsBetween ?? []).enumerated().map { row, weight in
      let start = starts[row % starts.count]
      let steps = weight == 0 ? 0 : row / starts.count + 1
      return ReplayBuffer.Moment(lane: start.lane, position: start.position + steps)
    }
  }
}

extension ReplayBuffer {
  /// Returns the slots that the observation at a moment is made from.
  ///
  /// - Parameters:
  ///   - frames: the number of moments, including the current one.
  ///   - actions: the number of past actions.
  public func window(of moment: Moment, frames: Int, actions: Int) -> Window {
    let known = age(of: moment, atMost: max(frames - 1, actions))
    return Window(
      slots: (0..<frames).map { slot(moment.lane, moment.position - min($0, known)) },
      actions: (1..<actions + 1).map { $0 <= known ? slot(moment.lane, moment.position - $0) : nil })
  }

  /// Returns the slots of the frame at a slot and the frames before it, `count` in all and the oldest first. Before an
  /// episode's first frame the first one is repeated.
  public func stack(endingAt slot: Int, of count: Int) -> [Int] {
    window(of: place(of: slot), frames: count, actions: 0).slots.reversed()
  }

  /// The number of steps since the start of the moment's episode, at most `reach`.
  func age(of moment: Moment, atMost reach: Int) -> Int {
    var age = 0
    while age < reach, moment.position - age > 0,
      !marks[slot(moment.lane, moment.position - age)].contains(.first)
    { age += 1 }
    return age
  }

  /// Returns the batch of a draw.
  ///
  /// - Parameters:
  ///   - observation: `[B, O]` of the draw's starts.
  ///   - nextObservation: `[B, O]` of its ends.
  ///   - between: returns `[(n - 1) B, O]` of the moments inside the transitions; called only if there are any.
  public func batch(
    of draw: ReplayDraw, observation: Tensor, nextObservation: Tensor, between: () -> Tensor
  ) -> Batch {
    var batch = Batch(
      observation: observation, action: draw.action, reward: draw.reward, discount: draw.discount,
      nextObservation: nextObservation)
    batch.slots = draw.starts.map { slot($0.lane, $0.position) }
    batch.frequency = draw.frequency
    if let weights = draw.weightsBetween {
      batch.between = Batch.Between(observation: between(), weight: Tensor(weights, [weights.count, 1]))
    }
    return batch
  }

  /// Returns the batch of a draw, made from the stored latents.
  public func batch(of draw: ReplayDraw) -> Batch {
    batch(of: draw, observation: observations(of: draw.starts), nextObservation: observations(of: draw.ends)) {
      observations(of: draw.between)
    }
  }

  /// Returns the observations `[N, O]` of moments, made from the stored latents.
  public func observations(of moments: [Moment]) -> Tensor {
    precondition(memory.keepsLatents, "observations are made from latents, but this buffer stores none")
    let size = layout.observationSize
    return Tensor([moments.count, size], of: Float.self) { target in
      for (row, moment) in moments.enumerated() { writeObservation(into: &target, at: row * size, moment) }
    }
  }

  private func writeObservation(into target: inout MutableSpan<Float>, at start: Int, _ moment: Moment) {
    let (lane, position) = (moment.lane, moment.position)
    let known = age(of: moment, atMost: layout.reach)
    let (size, width) = (layout.latentSize, layout.actionSpace.arrayCount)
    layout.write(
      into: &target, at: start, latents: latents.span,
      latentStart: { slot(lane, position - min($0, known)) * size },
      pastActions: actions.span,
      actionStart: { $0 <= known ? slot(lane, position - $0) * width : nil })
  }

  /// The action taken at a slot, in the policy's units.
  public func action(at slot: Int) -> ArraySlice<Float> {
    let width = layout.actionSpace.arrayCount
    return actions[slot * width..<(slot + 1) * width]
  }
}

extension ReplayBuffer {
  /// Returns the actions 1, 2, … steps before each moment as network inputs, `layout.actions` tensors `[B, A]`.
  public func pastActions(of moments: [Moment]) -> [Tensor] {
    let windows = moments.map { window(of: $0, frames: 1, actions: layout.actions) }
    return (0..<layout.actions).map { age in
      Tensor(
        windows.flatMap { layout.seen($0.actions[age].map { action(at: $0) }) },
        [moments.count, layout.actionSpace.networkSize])
    }
  }
}
