/// The contents of a replay buffer, N moments: lane after lane, each from the oldest to the newest.
public struct ReplayContents: Sendable {
  /// `[N, Z]`; empty if no latents are stored.
  public var latents: [Float] = []
  /// `[N, A]` in the policy's units; zeros if no transition starts there.
  public var actions: [Float] = []
  /// `[N]`
  public var rewards: [Float] = []
  /// `[N]`
  public var discounts: [Float] = []
  /// `[N]`: 1 if an episode begins there.
  public var first: [UInt8] = []
  /// `[N]`: 1 if a transition starts there; its successor is the next moment.
  public var transition: [UInt8] = []

  public var count: Int { first.count }
}

extension ReplayBuffer {
  public var contents: ReplayContents {
    var all = ReplayContents()
    let (size, width) = (layout.latentSize, layout.actionSpace.arrayCount)
    for (lane, state) in lanes.enumerated() {
      for position in max(0, state.written - laneCapacity)..<state.written {
        let slot = slot(lane, position)
        let isTransition = marks[slot].contains(.transition)
        if memory.keepsLatents { all.latents.append(contentsOf: latents[slot * size..<(slot + 1) * size]) }
        // Without a transition, the slot may hold the action of an overwritten moment.
        for i in 0..<width { all.actions.append(isTransition ? actions[slot * width + i] : 0) }
        all.rewards.append(isTransition ? rewards[slot] : 0)
        all.discounts.append(isTransition ? discounts[slot] : 0)
        all.first.append(marks[slot].contains(.first) ? 1 : 0)
        all.transition.append(isTransition ? 1 : 0)
      }
    }
    return all
  }
}
