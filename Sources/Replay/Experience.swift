import Core

/// What an agent learns from: a `Batch` drawn from the whole replay buffer, or a `Rollout` of all transitions since the
/// last update. Both are read from the replay buffer.
public protocol Experience: Sendable {
  /// How much experience an update needs.
  associatedtype Demand: Sendable

  /// Whether it may come from any policy, so that the agent can learn from earlier data.
  static var isOffPolicy: Bool { get }

  /// Whether it includes batches drawn from replay, as many as are due for the steps.
  static var drawsBatches: Bool { get }

  /// Whether updates on it can train an encoder, with the gradient of the observations and the frames of the batch.
  static var trainsEncoders: Bool { get }

  /// Checks that a replay buffer of `replay` slots can meet a demand.
  ///
  /// - Parameter episodeSteps: the most agent steps of an episode.
  /// - Throws: `InputError` that says what to change.
  static func validate(
    _ demand: Demand, replay: Int, lanes: Int, layout: HistoryLayout, episodeSteps: Int
  ) throws(InputError)

  /// The slots in the buffer that its transitions were drawn from, if they can be drawn by priority.
  var slots: [Int] { get }

  /// Returns the experience for the next update; nil if no update is due.
  ///
  /// - Parameter read: makes a batch from a draw. A rollout is made from the stored latents, which are those that its
  ///   policy saw.
  /// - Throws: `InputError` if the buffer cannot provide it.
  static func next(
    _ demand: Demand, from replay: borrowing ReplayBuffer, _ schedule: inout UpdateSchedule, using random: inout Random,
    read: BatchReader
  ) throws -> Self?
}

/// Makes a batch from a draw of a buffer.
public typealias BatchReader = (borrowing ReplayBuffer, ReplayDraw) throws -> Batch

extension Experience {
  public static var drawsBatches: Bool { isOffPolicy }
  public static var trainsEncoders: Bool { isOffPolicy }
  public var slots: [Int] { [] }

  /// Returns the experience for the next update, made from the stored latents.
  public static func next(
    _ demand: Demand, from replay: borrowing ReplayBuffer, _ schedule: inout UpdateSchedule, using random: inout Random
  ) throws -> Self? {
    try next(demand, from: replay, &schedule, using: &random) { $0.batch(of: $1) }
  }
}

/// Keeps count of the updates that are due for the environment steps so far.
public struct UpdateSchedule: Sendable, Codable {
  /// Updates on batches per step of an environment.
  let updatesPerStep: Double
  /// The number of rewards that a transition of a batch sums, unless the agent asks for another one.
  public let returnSteps: Int
  /// The number of updates on batches that are due.
  var owed = 0.0
  /// The position in each lane where the next rollout starts.
  var starts: [Int] = []

  public init(updatesPerStep: Double, returnSteps: Int) {
    self.updatesPerStep = updatesPerStep
    self.returnSteps = returnSteps
  }

  /// Checks that a schedule read from a checkpoint fits a buffer.
  ///
  /// - Parameter steps: simulator steps so far.
  /// - Throws: `InputError` that says what is wrong.
  public func validate(against replay: borrowing ReplayBuffer, steps: Int) throws(InputError) {
    guard owed <= 2 * updatesPerStep * Double(steps) + 1 else {
      throw InputError("\(owed) updates cannot be due after \(steps) steps")
    }
    let newest = replay.newestPositions
    guard starts.isEmpty || starts.count == newest.count,
      zip(starts, newest).allSatisfy({ $0 >= -1 && $0 <= $1 })
    else { throw InputError("rollouts cannot start from \(starts)") }
  }

  /// Records that the agent begins to act at the newest moment of every lane.
  public mutating func begin(at replay: borrowing ReplayBuffer) { starts = replay.newestPositions }

  /// Records one step of `environments` environments.
  public mutating func step(_ environments: Int) { owed += updatesPerStep * Double(environments) }

  /// Makes one update on a batch due, independent of the steps.
  public mutating func owe() { owed += 1 }
}

extension Batch: Experience {
  public struct Demand: Sendable {
    /// The number of transitions, B.
    public var count: Int
    /// The agent's discount γ.
    public var discount: Double
    /// Whether the moments inside transitions of several steps are requested too.
    public var includesIntermediate: Bool
    /// The number of rewards that a transition sums, n; nil: that of the schedule.
    public var returnSteps: Int?

    public init(count: Int, discount: Double, includesIntermediate: Bool = false, returnSteps: Int? = nil) {
      self.count = count
      self.discount = discount
      self.includesIntermediate = includesIntermediate
      self.returnSteps = returnSteps
    }
  }

  public static var isOffPolicy: Bool { true }

  public static func validate(
    _ demand: Demand, replay: Int, lanes: Int, layout: HistoryLayout, episodeSteps: Int
  ) throws(InputError) {
    guard demand.count <= replay else {
      throw InputError(
        "--batch \(demand.count) is larger than the replay buffer (\(replay)): use --batch \(replay) or less, or a "
          + "larger --replay")
    }
  }

  public static func next(
    _ demand: Demand, from replay: borrowing ReplayBuffer, _ schedule: inout UpdateSchedule, using random: inout Random,
    read: BatchReader
  ) throws -> Batch? {
    guard schedule.owed >= 1 else { return nil }
    schedule.owed -= 1
    let draw = try replay.draw(
      demand.count, steps: demand.returnSteps ?? schedule.returnSteps, discount: demand.discount,
      includesIntermediate: demand.includesIntermediate, using: &random)
    return try read(replay, draw)
  }
}
