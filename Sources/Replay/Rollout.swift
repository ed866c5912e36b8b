import Core
import Tensors

/// The transitions of a policy since its last update, M of them: environment after environment, each in time order.
public struct Rollout: Sendable {
  /// `[M, O]`
  public var observation: Tensor
  /// `[M, A]` in the policy's units, or `[M, 1]` indices.
  public var action: Tensor
  /// `[M, 1]`
  public var reward: Tensor
  /// `[M, 1]`: the environment's discount, 0 if the task terminated. There is no "done" flag.
  public var discount: Tensor
  /// `[M, O]`: the observation after the action, also if the episode was then truncated.
  public var nextObservation: Tensor
  /// `[M]`: the environment of each transition.
  public var lane: [Int]
  /// `[M]`: whether the next row is not the next time step, because the episode or the rollout ends.
  public var isLast: [Bool]

  public init(
    observation: Tensor, action: Tensor, reward: Tensor, discount: Tensor, nextObservation: Tensor, lane: [Int],
    isLast: [Bool]
  ) {
    self.observation = observation
    self.action = action
    self.reward = reward
    self.discount = discount
    self.nextObservation = nextObservation
    self.lane = lane
    self.isLast = isLast
  }

  /// M
  public var count: Int { isLast.count }

  /// The row ranges of consecutive time steps, in order.
  public var stretches: [Range<Int>] {
    var start = 0
    return isLast.indices.filter { isLast[$0] }.map { last in
      defer { start = last + 1 }
      return start..<last + 1
    }
  }

  /// Returns the transitions of some environments only.
  public func rows(where isWanted: (_ lane: Int) -> Bool) -> Rollout {
    let rows = lane.indices.filter { isWanted(lane[$0]) }
    return Rollout(
      observation: observation.gatheringRows(rows), action: action.gatheringRows(rows),
      reward: reward.gatheringRows(rows), discount: discount.gatheringRows(rows),
      nextObservation: nextObservation.gatheringRows(rows), lane: rows.map { lane[$0] },
      isLast: rows.map { isLast[$0] })
  }
}

extension Rollout: Experience {
  public struct Demand: Sendable {
    /// Steps per environment, T. A rollout has at least T times the number of environments.
    public var horizon: Int
    /// Whether a rollout contains only whole episodes. Running episodes are left for the next rollout. With several
    /// environments, an episode's first steps may then be older than its last by one update, or by several if the other
    /// episodes are short.
    public var wholeEpisodes: Bool
    /// The number of workers, which need at least one environment each.
    public var workers: Int

    public init(horizon: Int, wholeEpisodes: Bool = false, workers: Int = 1) {
      self.horizon = horizon
      self.wholeEpisodes = wholeEpisodes
      self.workers = workers
    }
  }

  public static var isOffPolicy: Bool { false }

  public static func validate(
    _ demand: Demand, replay: Int, lanes: Int, layout: HistoryLayout, episodeSteps: Int
  ) throws(InputError) {
    guard lanes >= demand.workers else {
      throw InputError(
        "--workers \(demand.workers) needs an environment per worker: use --environments \(demand.workers) or more")
    }
    // An update waits for the end of an episode. With several environments, another episode may have begun before the
    // last update.
    let episodes = demand.wholeEpisodes ? min(lanes, 2) : 0
    // Each episode has one more latent than transitions.
    let least = lanes * (2 * demand.horizon + episodes * (episodeSteps + 1) + layout.reach + 3)
    guard replay >= least else {
      let whole = demand.wholeEpisodes ? " and whole episodes of up to \(episodeSteps) steps" : ""
      throw InputError(
        "--replay \(replay) is too small for --horizon \(demand.horizon)\(whole) in \(lanes) environments: use --replay "
          + "\(least) or more")
    }
  }

  public static func next(
    _ demand: Demand, from replay: borrowing ReplayBuffer, _ schedule: inout UpdateSchedule, using random: inout Random,
    read: BatchReader
  ) throws -> Rollout? {
    guard !schedule.starts.isEmpty else { return nil }  // the agent has not begun to act
    let newest = replay.newestPositions
    // After a reset in mid-episode, the episode's start lies before the new agent's first action.
    let ends = newest.enumerated().map { lane, newest in
      max(schedule.starts[lane], demand.wholeEpisodes ? replay.episodeStart(lane: lane, from: newest) : newest)
    }
    let least = demand.horizon * ends.count
    // There are no more transitions than moments: most calls end here.
    guard zip(ends, schedule.starts).reduce(0, { $0 + $1.0 - $1.1 }) >= least else { return nil }
    var (moments, lane, isLast) = ([ReplayBuffer.Moment](), [Int](), [Bool]())
    for (i, end) in ends.enumerated() {
      guard replay.holds(lane: i, position: schedule.starts[i]) else {
        throw InputError(
          "the replay buffer is too small for the steps between two updates: use a larger --replay")
      }
      for position in schedule.starts[i]..<end
      where replay.startsTransition(lane: i, position: position) {
        moments.append(ReplayBuffer.Moment(lane: i, position: position))
        lane.append(i)
        isLast.append(position + 1 == end || !replay.startsTransition(lane: i, position: position + 1))
      }
    }
    guard moments.count >= least else { return nil }
    schedule.starts = ends
    let transitions = replay.batch(of: replay.draw(at: moments))
    return Rollout(
      observation: transitions.observation, action: transitions.action, reward: transitions.reward,
      discount: transitions.discount, nextObservation: transitions.nextObservation, lane: lane, isLast: isLast)
  }
}

extension ReplayBuffer {
  /// The position of each lane's newest latent, where no transition starts yet; -1 for an empty lane.
  var newestPositions: [Int] { lanes.map { $0.written - 1 } }

  /// The first position of the episode that contains a position.
  fileprivate func episodeStart(lane: Int, from position: Int) -> Int {
    var start = position
    while start > 0, holds(lane: lane, position: start), !marks[slot(lane, start)].contains(.first) { start -= 1 }
    return start
  }

  /// Whether a position still has its whole history.
  fileprivate func holds(lane: Int, position: Int) -> Bool {
    position >= 0
      && (lanes[lane].written <= laneCapacity || position >= lanes[lane].written - laneCapacity + reach)
  }

  fileprivate func startsTransition(lane: Int, position: Int) -> Bool {
    marks[slot(lane, position)].contains(.transition)
  }
}
