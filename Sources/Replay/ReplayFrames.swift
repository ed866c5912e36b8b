import Core

/// The frames in a replay buffer with their actions and rewards, lane after lane, each from the oldest to the newest.
/// It shares the buffer's memory: blocks of frames are copied only if the buffer writes to them while this value
/// exists.
public struct ReplayFrames: Sendable {
  public let actionSpace: ActionSpace
  /// `[N]`: the episode of each frame, counted over all lanes.
  public let episodes: [Int]
  /// `[N]`: the reward after each frame; 0 if no transition starts there.
  public let rewards: [Float]
  /// `[N, Z]`: the stored latents; empty if none are stored.
  public let latents: [Float]
  private let memory: FrameMemory
  private let slots: [Int]
  private let actions: [Float]

  init(_ replay: borrowing ReplayBuffer, _ parts: [(lane: Int, positions: Range<Int>)]) {
    let (size, width) = (replay.layout.latentSize, replay.layout.actionSpace.arrayCount)
    var (episodes, rewards, latents) = ([Int](), [Float](), [Float]())
    var (slots, actions, episode) = ([Int](), [Float](), -1)
    for (lane, positions) in parts {
      for position in positions {
        let slot = replay.slot(lane, position)
        let startsTransition = replay.marks[slot].contains(.transition)
        if position == positions.lowerBound || replay.marks[slot].contains(.first) { episode += 1 }
        episodes.append(episode)
        rewards.append(startsTransition ? replay.rewards[slot] : 0)
        if startsTransition {
          actions.append(contentsOf: replay.action(at: slot))
        } else {
          actions.append(contentsOf: repeatElement(0, count: width))
        }
        if replay.memory.keepsLatents { latents.append(contentsOf: replay.latents[slot * size..<(slot + 1) * size]) }
        slots.append(slot)
      }
    }
    actionSpace = replay.layout.actionSpace
    memory = replay.frames
    (self.episodes, self.rewards, self.latents) = (episodes, rewards, latents)
    (self.slots, self.actions) = (slots, actions)
  }

  public var count: Int { slots.count }
  public var frameSize: Int { memory.frameSize }

  /// Calls `body` with the bytes of a frame.
  @inline(__always)
  public func withFrame<Result>(_ index: Int, _ body: (Span<UInt8>) throws -> Result) rethrows -> Result {
    try memory.withFrame(at: slots[index], body)
  }

  /// The action taken at a frame, in the policy's units; zeros at an episode's last frame.
  public func action(_ index: Int) -> ArraySlice<Float> {
    let width = actionSpace.arrayCount
    return actions[index * width..<(index + 1) * width]
  }
}

extension ReplayBuffer {
  /// The frames of all lanes.
  public var allFrames: ReplayFrames { ReplayFrames(self, lanes.indices.map { ($0, positions(of: $0)) }) }

  /// The frames of one lane.
  public func frames(of lane: Int) -> ReplayFrames { ReplayFrames(self, [(lane, positions(of: lane))]) }

  /// Returns the last frames of the current episode of a lane, at most `most` of them.
  public func newestFrames(of lane: Int, atMost most: Int) -> ReplayFrames {
    let newest = Moment(lane: lane, position: lanes[lane].written - 1)
    return ReplayFrames(self, [(lane, newest.position - age(of: newest, atMost: most - 1)..<newest.position + 1)])
  }

  public var laneCount: Int { lanes.count }
}
