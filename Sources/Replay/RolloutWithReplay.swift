import Core

/// Experience for an agent with an on-policy actor and an off-policy critic: a rollout, and a batch from replay for
/// each update that became due during the rollout.
public struct RolloutWithReplay: Experience {
  public var rollout: Rollout
  public var batches: [Batch]

  public init(rollout: Rollout, batches: [Batch]) {
    self.rollout = rollout
    self.batches = batches
  }

  public struct Demand: Sendable {
    public var rollout: Rollout.Demand
    public var batch: Batch.Demand

    public init(rollout: Rollout.Demand, batch: Batch.Demand) {
      self.rollout = rollout
      self.batch = batch
    }
  }

  /// The rollout must come from the current policy.
  public static var isOffPolicy: Bool { false }

  /// Those of the critic.
  public static var drawsBatches: Bool { true }

  public static func validate(
    _ demand: Demand, replay: Int, lanes: Int, layout: HistoryLayout, episodeSteps: Int
  ) throws(InputError) {
    try Rollout.validate(demand.rollout, replay: replay, lanes: lanes, layout: layout, episodeSteps: episodeSteps)
    try Batch.validate(demand.batch, replay: replay, lanes: lanes, layout: layout, episodeSteps: episodeSteps)
  }

  public static func next(
    _ demand: Demand, from replay: borrowing ReplayBuffer, _ schedule: inout UpdateSchedule, using random: inout Random,
    read: BatchReader
  ) throws -> RolloutWithReplay? {
    guard let rollout = try Rollout.next(demand.rollout, from: replay, &schedule, using: &random, read: read) else {
      return nil
    }
    var batches: [Batch] = []
    while let batch = try Batch.next(demand.batch, from: replay, &schedule, using: &random, read: read) {
      batches.append(batch)
    }
    return RolloutWithReplay(rollout: rollout, batches: batches)
  }
}
