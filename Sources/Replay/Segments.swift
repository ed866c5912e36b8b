import Core
import Tensors

/// B transitions of n steps, each with the H steps that follow its start: experience for an agent that learns a model of
/// the environment over several steps.
///
/// It is made from the stored latents, so the agent's updates cannot train an encoder.
public struct Segments: Sendable {
  /// The transitions of n steps.
  public var transition: Batch
  /// The steps 0, 1, …, H - 1 of every segment.
  public var steps: [Step]
  /// The mean absolute reward of all transitions in the replay buffer; nil if it was not requested.
  public var meanAbsoluteReward: Double?

  /// One step of B segments.
  public struct Step: Sendable {
    /// `[B, A]` in the policy's units, or `[B, 1]` indices.
    public var action: Tensor
    /// `[B, 1]`
    public var reward: Tensor
    /// `[B, 1]`: the environment's discount, 0 if the task terminated.
    public var discount: Tensor
    /// `[B, O]`: the observation after the action.
    public var nextObservation: Tensor
    /// `[B, 1]`: 1, or 0 if the episode ended before this step. The other values are then meaningless.
    public var isPresent: Tensor

    public init(action: Tensor, reward: Tensor, discount: Tensor, nextObservation: Tensor, isPresent: Tensor) {
      (self.action, self.reward, self.discount) = (action, reward, discount)
      (self.nextObservation, self.isPresent) = (nextObservation, isPresent)
    }
  }

  public init(transition: Batch, steps: [Step], meanAbsoluteReward: Double?) {
    (self.transition, self.steps, self.meanAbsoluteReward) = (transition, steps, meanAbsoluteReward)
  }
}

extension Segments: Experience {
  public struct Demand: Sendable {
    /// The transitions.
    public var batch: Batch.Demand
    /// The number of steps of a segment, H; 0: only the transitions.
    public var horizon: Int
    /// Whether the mean absolute reward is requested, for which all rewards in the buffer are read.
    public var includesMeanReward = false

    public init(batch: Batch.Demand, horizon: Int) { (self.batch, self.horizon) = (batch, horizon) }
  }

  public static var isOffPolicy: Bool { true }
  public static var trainsEncoders: Bool { false }
  public var slots: [Int] { transition.slots }

  public static func validate(
    _ demand: Demand, replay: Int, lanes: Int, layout: HistoryLayout, episodeSteps: Int
  ) throws(InputError) {
    try Batch.validate(demand.batch, replay: replay, lanes: lanes, layout: layout, episodeSteps: episodeSteps)
  }

  public static func next(
    _ demand: Demand, from replay: borrowing ReplayBuffer, _ schedule: inout UpdateSchedule, using random: inout Random,
    read: BatchReader
  ) throws -> Segments? {
    var starts: [ReplayBuffer.Moment] = []
    let batch = try Batch.next(demand.batch, from: replay, &schedule, using: &random) { replay, draw in
      starts = draw.starts
      return try read(replay, draw)
    }
    guard let batch else { return nil }
    return Segments(
      transition: batch, steps: replay.steps(from: starts, count: demand.horizon),
      meanAbsoluteReward: demand.includesMeanReward ? replay.meanAbsoluteReward : nil)
  }
}

extension ReplayBuffer {
  /// Returns the steps that follow some moments, in the order of time.
  public func steps(from starts: [Moment], count: Int) -> [Segments.Step] {
    var (now, isPresent) = (starts, [Bool](repeating: true, count: starts.count))
    return (0..<count).map { k in
      for (b, start) in starts.enumerated() {
        let next = Moment(lane: start.lane, position: start.position + k)
        // The newest slot of a lane and the last of an episode start no transition.
        isPresent[b] = isPresent[b] && marks[slot(next.lane, next.position)].contains(.transition)
        now[b] = isPresent[b] ? next : start
      }
      let draw = draw(at: now)
      return Segments.Step(
        action: draw.action, reward: draw.reward, discount: draw.discount,
        nextObservation: observations(of: draw.ends),
        isPresent: Tensor(isPresent.map { $0 ? Float(1) : 0 }, [starts.count, 1]))
    }
  }

  /// The mean of |r| over all transitions; 0 if there are none.
  public var meanAbsoluteReward: Double {
    var (sum, count) = (0.0, 0)
    for lane in lanes.indices {
      let held = min(lanes[lane].written, laneCapacity)
      for slot in lane * laneCapacity..<lane * laneCapacity + held where marks[slot].contains(.transition) {
        sum += Double(abs(rewards[slot]))
        count += 1
      }
    }
    return count == 0 ? 0 : sum / Double(count)
  }
}
