/// All that a replay buffer holds, lane after lane and in each from the oldest to the newest: N moments.
public struct ReplayContents: Sendable {
  /// `[N, Z]`; empty where none are kept.
  public var latents: [Float] = []
  /// `[N, A]` in the policy's units, zeros where no transition starts.
  public var actions: [Float] = []
  /// `[N]`
  public var rewards: [Float] = []
  /// `[N]`
  public var discounts: [Float] = []
  /// `[N]`: 1 where an episode begins.
  public var first: [UInt8] = []
  /// `[N]`: 1 where a transition starts, whose successor is the next moment.
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
        // What an earlier round of the ring left there is no action of this moment.
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
