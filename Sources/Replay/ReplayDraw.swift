import Core
import Tensors

/// What a replay buffer keeps of what is seen of a moment.
public struct ReplayMemory: Sendable, Hashable, Codable {
  public let keepsLatents: Bool
  /// Bytes of the frame that is kept; 0: none is.
  public let frameSize: Int
  /// Frames that are seen together, the present one included: so far back a moment needs others.
  public let frameStack: Int

  public static let latents = ReplayMemory(keepsLatents: true, frameSize: 0, frameStack: 1)
  public static func frames(of size: Int, stack: Int = 1) -> ReplayMemory {
    ReplayMemory(keepsLatents: false, frameSize: size, frameStack: stack)
  }
  public static func latentsAndFrames(of size: Int, stack: Int = 1) -> ReplayMemory {
    ReplayMemory(keepsLatents: true, frameSize: size, frameStack: stack)
  }

  /// Bytes of a moment, with its transition.
  public func byteCount(_ layout: HistoryLayout) -> Int {
    frameSize + 4 * ((keepsLatents ? layout.latentSize : 0) + layout.actionSpace.arrayCount + 2) + 1
  }

  /// How many steps back anything is looked at where observations are made from what is kept.
  func reach(_ layout: HistoryLayout) -> Int { layout.reach + (keepsLatents ? 0 : frameStack - 1) }
}

extension ReplayBuffer {
  /// A moment that a replay buffer holds: its lane, and how many were written to that before it.
  public struct Moment: Sendable, Hashable {
    public let lane: Int
    public let position: Int
  }

  /// Where the moments lie that an observation is made of.
  public struct Window: Sendable {
    /// The slots of the moments of 0, 1, … steps ago; before an episode's first frame that one repeats.
    public let slots: [Int]
    /// The slots where the actions of 1, 2, … steps ago were taken; nil before the episode.
    public let actions: [Int?]
  }
}

/// Transitions that were drawn: all of a batch but what is seen.
public struct ReplayDraw: Sendable {
  /// Where each begins, B of them, and what it leads to.
  public let starts: [ReplayBuffer.Moment]
  public let ends: [ReplayBuffer.Moment]
  /// `[B, A]`, `[B, 1]`, `[B, 1]`: as in `Batch`.
  public let action: Tensor
  public let reward: Tensor
  public let discount: Tensor
  var frequency: Tensor?
  /// What each moment weighs that the transitions pass over, those of one step after the start first; nil: not asked for.
  var weightsBetween: [Float]?

  /// The moments that the transitions pass over, as `Batch.Between` has them; none where nobody asked.
  public var between: [ReplayBuffer.Moment] {
    (weightsBetween ?? []).enumerated().map { row, weight in
      let start = starts[row % starts.count]
      let passed = weight == 0 ? 0 : row / starts.count + 1
      return ReplayBuffer.Moment(lane: start.lane, position: start.position + passed)
    }
  }
}

extension ReplayBuffer {
  /// Where the moments lie that the observation at a moment is made of.
  ///
  /// - Parameters:
  ///   - frames: moments, the present one included.
  ///   - actions: past actions.
  public func window(of moment: Moment, frames: Int, actions: Int) -> Window {
    let known = age(of: moment, atMost: max(frames - 1, actions))
    return Window(
      slots: (0..<frames).map { slot(moment.lane, moment.position - min($0, known)) },
      actions: (1..<actions + 1).map { $0 <= known ? slot(moment.lane, moment.position - $0) : nil })
  }

  /// The slots of the frame at a slot and those before it, `count` in all and the oldest first; before an episode's first
  /// frame that one repeats.
  public func stack(endingAt slot: Int, of count: Int) -> [Int] {
    window(of: place(of: slot), frames: count, actions: 0).slots.reversed()
  }

  /// Steps since the moment's episode began, as far as anything looks.
  func age(of moment: Moment, atMost reach: Int) -> Int {
    var age = 0
    while age < reach, moment.position - age > 0,
      !marks[slot(moment.lane, moment.position - age)].contains(.first)
    { age += 1 }
    return age
  }

  /// A batch of what was drawn.
  ///
  /// - Parameters:
  ///   - observation: `[B, O]` of the draw's starts.
  ///   - nextObservation: `[B, O]` of its ends.
  ///   - between: `[(n - 1) B, O]` of the moments that it passes over; asked for where there are any.
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

  /// The same, from the latents that are kept.
  public func batch(of draw: ReplayDraw) -> Batch {
    batch(of: draw, observation: observations(of: draw.starts), nextObservation: observations(of: draw.ends)) {
      observations(of: draw.between)
    }
  }

  /// `[N, O]` of moments, from the latents that are kept.
  public func observations(of moments: [Moment]) -> Tensor {
    precondition(memory.keepsLatents, "observations are made of latents, of which none are kept")
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
  /// `[B, A]` of the actions of 1, 2, … steps before each moment, as networks see them, `layout.actions` of them.
  public func pastActions(of moments: [Moment]) -> [Tensor] {
    let windows = moments.map { window(of: $0, frames: 1, actions: layout.actions) }
    return (0..<layout.actions).map { age in
      Tensor(
        windows.flatMap { layout.seen($0.actions[age].map { action(at: $0) }) },
        [moments.count, layout.actionSpace.networkSize])
    }
  }
}
