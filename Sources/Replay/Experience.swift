import Core

/// What an agent learns from: a `Batch`, drawn from all that is remembered, or a `Rollout`, all that its policy did since
/// it last learned. The replay buffer holds both.
public protocol Experience: Sendable {
  /// How much of it an update takes.
  associatedtype Demand: Sendable

  /// Whether it may stem from any policy, so that data of before may be learned from.
  static var isOffPolicy: Bool { get }

  /// Checks that a replay buffer of so many slots can meet a demand.
  /// - Throws: `InputError` that says what to change.
  static func validate(_ demand: Demand, replay: Int, lanes: Int, layout: HistoryLayout) throws(InputError)

  /// Where in the buffer its transitions were drawn from, if they may be drawn by priority.
  var slots: [Int] { get }

  /// What the next update learns from; nil while none is due.
  ///
  /// - Parameter read: makes a batch of what was drawn. A rollout is made of the latents that are kept, as its policy saw
  ///   them.
  /// - Throws: `InputError` if the buffer cannot give it.
  static func next(
    _ demand: Demand, from replay: borrowing ReplayBuffer, _ schedule: inout UpdateSchedule, using random: inout Random,
    read: BatchReader
  ) throws -> Self?
}

/// Makes a batch of what was drawn from a buffer.
public typealias BatchReader = (borrowing ReplayBuffer, ReplayDraw) throws -> Batch

extension Experience {
  public var slots: [Int] { [] }

  /// The same, of the latents that are kept.
  public static func next(
    _ demand: Demand, from replay: borrowing ReplayBuffer, _ schedule: inout UpdateSchedule, using random: inout Random
  ) throws -> Self? {
    try next(demand, from: replay, &schedule, using: &random) { $0.batch(of: $1) }
  }
}

/// How far learning has come behind acting.
public struct UpdateSchedule: Sendable, Codable {
  /// Updates on batches for each step of an environment.
  let updatesPerStep: Double
  /// Rewards that a transition of a batch adds up.
  let returnSteps: Int
  /// Updates on batches that are due.
  var owed = 0.0
  /// The position of each lane that the next rollout starts from.
  var starts: [Int] = []

  public init(updatesPerStep: Double, returnSteps: Int) {
    self.updatesPerStep = updatesPerStep
    self.returnSteps = returnSteps
  }

  /// Checks that a schedule read from a checkpoint can go on with a buffer.
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

  /// Notes that the agent begins to act at the newest moment of every lane.
  public mutating func begin(at replay: borrowing ReplayBuffer) { starts = replay.newestPositions }

  /// Notes that so many environments were stepped.
  public mutating func step(_ environments: Int) { owed += updatesPerStep * Double(environments) }

  /// Makes one update on a batch due, whatever was stepped.
  public mutating func owe() { owed += 1 }
}

extension Batch: Experience {
  public struct Demand: Sendable {
    /// Transitions, B.
    public var count: Int
    /// The agent's discount γ.
    public var discount: Double
    /// Whether the moments that transitions of several steps pass over are wanted too.
    public var seesBetween: Bool

    public init(count: Int, discount: Double, seesBetween: Bool = false) {
      self.count = count
      self.discount = discount
      self.seesBetween = seesBetween
    }
  }

  public static var isOffPolicy: Bool { true }

  public static func validate(_ demand: Demand, replay: Int, lanes: Int, layout: HistoryLayout) throws(InputError) {
    guard demand.count <= replay else {
      throw InputError("--batch \(demand.count) is more than the replay buffer holds: give at most --replay \(replay)")
    }
  }

  public static func next(
    _ demand: Demand, from replay: borrowing ReplayBuffer, _ schedule: inout UpdateSchedule, using random: inout Random,
    read: BatchReader
  ) throws -> Batch? {
    guard schedule.owed >= 1 else { return nil }
    schedule.owed -= 1
    let draw = try replay.draw(
      demand.count, steps: schedule.returnSteps, discount: demand.discount, seesBetween: demand.seesBetween,
      using: &random)
    return try read(replay, draw)
  }
}
