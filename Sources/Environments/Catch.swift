import Core
import Pixels

/// A ball falls down a small grid and a paddle moves to catch it. Copy this file to write your own environment.
///
/// The rules follow `catch` in bsuite (Osband 2020): 10 rows, 5 columns, one ball per episode, +1 for a catch and -1
/// for a miss. To add an environment, copy this file, change what differs, and add the type to `Environments.catalog`.
/// The contract tests then cover it.
public struct Catch: DrawnEnvironment, Hashable {
  // Shown in the catalog.
  public static var id: String { "catch" }
  public static var note: String { "move a paddle under a falling ball" }
  /// 0 moves left, 1 stays, 2 moves right.
  public static var actionSpace: ActionSpace { .discrete(count: 3) }
  /// The ball has always landed by then, so no episode is truncated.
  public static var episodeLength: Int { rows - 1 }
  /// The default is [0, 1].
  public static var rewardRange: ClosedRange<Double> { -1...1 }
  /// Only the last step has a reward. By default, the range is that of a sum over all steps.
  public static var returnRange: ClosedRange<Double>? { rewardRange }

  static let rows = 10
  static let columns = 5

  // Stored properties hold the whole state, so a copy of the value is a snapshot.
  private var ballColumn = columns / 2
  private var ballRow = 0  // from the top
  private var paddleColumn = columns / 2

  /// Creates any valid state. `reset` is called before the first step.
  public init() {}

  /// Draws a start state. All randomness must come from `random`, so that a seed determines the whole run.
  public mutating func reset(using random: inout Random) {
    ballColumn = random.integer(below: Self.columns)
    ballRow = 0
    paddleColumn = Self.columns / 2
  }

  /// Moves the paddle, then the ball. The episode ends when the ball reaches the paddle's row. It is not reset here.
  public mutating func step(_ action: [Double]) -> Step {
    guard !hasLanded else { return Step(reward: 0, discount: 0, ending: .terminated) }
    let move = Int(action[0]) - 1
    paddleColumn = min(max(paddleColumn + move, 0), Self.columns - 1)
    ballRow += 1
    guard hasLanded else { return Step(reward: 0) }
    // No reward can follow `terminated`, so the discount is 0. `Episode` applies the time limit.
    return Step(reward: ballColumn == paddleColumn ? 1 : -1, discount: 0, ending: .terminated)
  }

  private var hasLanded: Bool { ballRow == Self.rows - 1 }

  // The state, as other tools store, compare and set it.
  public static var stateNames: [String] { ["ball-column", "ball-row", "paddle-column"] }

  public var state: [Double] {
    get { [Double(ballColumn), Double(ballRow), Double(paddleColumn)] }
    set { (ballColumn, ballRow, paddleColumn) = (Int(newValue[0]), Int(newValue[1]), Int(newValue[2])) }
  }

  /// The default accepts any finite values.
  public static func validate(state: [Double]) throws(InputError) {
    let counts = [columns, rows, columns]
    guard state.count == counts.count else {
      throw InputError("a state of catch is [ball column, ball row, paddle column]")
    }
    for (index, count) in counts.enumerated() where !(0..<count).map(Double.init).contains(state[index]) {
      throw InputError(
        "the \(stateNames[index]) of catch must be a whole number from 0 to \(count - 1), not \(state[index])")
    }
  }

  // The observation of an agent that learns from the true state. All values are in [-1, 1].
  public static var observationNames: [String] { ["ball-x", "ball-y", "paddle-x"] }

  public var observation: [Double] {
    let half = Double(Self.columns - 1) / 2
    return [
      Double(ballColumn) / half - 1,
      1 - 2 * Double(ballRow) / Double(Self.rows - 1),
      Double(paddleColumn) / half - 1,
    ]
  }

  /// Optional: lets `collect` draw states without a policy having to reach them.
  public mutating func randomize(using random: inout Random) -> Bool {
    ballColumn = random.integer(below: Self.columns)
    ballRow = random.integer(below: Self.rows - 1)
    paddleColumn = random.integer(below: Self.columns)
    return true
  }

  /// Draws the state in units of one cell, y up, for any frame size. Each object has its own colour, which makes frames
  /// easy to reconstruct.
  public func draw(on canvas: inout Canvas) {
    let (width, height) = (Double(Self.columns), Double(Self.rows))
    canvas.view(center: Point(width / 2, height / 2), width: width, height: height)
    canvas.fill(Color(gray: 30))
    for wall in [-0.25, width + 0.25] {
      canvas.rectangle(center: Point(wall, height / 2), width: 0.5, height: height, Color(92, 101, 128))
    }
    canvas.rectangle(
      center: Point(Double(paddleColumn) + 0.5, 0.4), width: 1, height: 0.6, Color(64, 200, 255))
    canvas.circle(
      center: Point(Double(ballColumn) + 0.5, height - Double(ballRow) - 0.5), radius: 0.45, Color(255, 196, 46))
  }
}
