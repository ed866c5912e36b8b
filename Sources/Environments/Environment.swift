import Core
import Pixels

/// A task that renders itself: physics, reward and picture in one value, whose copy is a snapshot, and which a checkpoint
/// stores as it stands.
///
/// One new file and one line in `Environments.all` add a member; the contract tests then run over it. `Catch` is the
/// one to copy.
public protocol Environment: Sendable, Codable {
  /// `cartpole-swingup`: what one types.
  static var id: String { get }
  /// One sentence for the catalog.
  static var note: String { get }
  static var actionSpace: ActionSpace { get }
  /// Simulator steps after which an episode is truncated.
  static var episodeLength: Int { get }
  /// Simulator steps that an agent's action is held for, as the field does on the task.
  static var actionRepeat: Int { get }
  /// Simulator steps after which random play begins anew, where much lies in the start states; nil plays episodes out.
  static var explorationLength: Int? { get }
  /// The size up to which a reward is learned from; nil where each is taken as it is.
  static var rewardLimit: Double? { get }
  /// How it is played and seen unless said otherwise.
  static var episodeDefaults: EpisodeSettings { get }
  /// The bounds of the reward of one simulator step.
  static var rewardRange: ClosedRange<Double> { get }
  /// The bounds of the return of an episode of at most so many simulator steps; nil where none are known.
  static func returnRange(steps: Int) -> ClosedRange<Double>?
  /// The names of `state`, positions before velocities.
  static var stateNames: [String] { get }
  /// The names of `observation`.
  static var observationNames: [String] { get }
  /// Those of them that are angles and leap after a whole turn: the state probe reads their cosine and sine.
  static var wrappingAngles: Set<String> { get }

  /// Makes sure that all there must be outside the program is there.
  /// - Throws: `WorldError` that says what to do.
  static func prepare() throws
  /// What draws a look where that is not this program itself: the name of an OpenGL.
  /// - Throws: `WorldError` that says what to install.
  static func drawer(of look: Look) throws -> String?
  /// Throws `WorldError` where there are no pictures to be had, which then are black.
  static func checkPictures() throws
  /// Throws what has gone wrong since with anything outside the program: all played from then on counts for nothing.
  static func check() throws
  /// Some valid state, the same each time; `reset` draws one.
  init()
  /// The same for an episode that is played with these settings, where they matter to more than `Episode`.
  init(_ settings: EpisodeSettings)
  /// Draws a start state. All chance is drawn from `random`, here and in `randomize`: a seed fixes the future.
  mutating func reset(using random: inout Random)
  /// One step of the simulator; never resets, and may be taken past the end. Continuous actions outside their bounds are
  /// clipped. The time limit is `Episode`'s: only `terminated` is said here.
  mutating func step(_ action: [Double]) -> Step
  /// Holds an action for `repeats` steps of the simulator, fewer where the episode ends: the sum of the rewards, the product
  /// of the discounts, and how many steps were taken.
  mutating func hold(_ action: [Double], for repeats: Int) -> (step: Step, count: Int)
  /// How many calls of `hold` can begin before they are made.
  static var foresight: Int { get }
  /// Says which calls of `hold` are next, as long as the episode goes on: what is simulated elsewhere can begin.
  func foresee(_ plan: [(action: [Double], repeats: Int)])
  /// Draws the state into every pixel of a frame of any size and format, whatever stood there. States that differ in
  /// `observation` look different, in more than two shades, from 32x32 on.
  func render(into frame: inout PixelBuffer)
  /// The same in a look of one's choice, where there are several.
  func render(into frame: inout PixelBuffer, as look: Look)

  /// Positions followed by velocities, as MuJoCo orders them; setting it gives the same futures.
  var state: [Double] { get set }
  /// What an agent of the true state sees, and what the state probe regresses: finite, and other numbers where the picture is
  /// another.
  var observation: [Double] { get }
  /// Says what is wrong with a state of a file or a foreign program, or nothing.
  static func complaint(about state: [Double]) -> String?
  /// Draws a state uniformly from all that an episode could meet, more than ten; false where the environment does not allow it.
  mutating func randomize(using random: inout Random) -> Bool
}

extension Environment {
  public static func prepare() throws {}
  public static func drawer(of look: Look) throws -> String? { nil }
  public static func checkPictures() throws {}
  public static func check() throws {}
  public static var actionRepeat: Int { 1 }
  public static var explorationLength: Int? { nil }
  public static var rewardLimit: Double? { nil }
  public static var episodeDefaults: EpisodeSettings { EpisodeSettings() }
  public static var rewardRange: ClosedRange<Double> { 0...1 }
  /// What the bounds of the reward add up to.
  public static func returnRange(steps: Int) -> ClosedRange<Double>? {
    guard rewardRange.lowerBound.isFinite, rewardRange.upperBound.isFinite else { return nil }
    return min(0, rewardRange.lowerBound * Double(steps))...max(0, rewardRange.upperBound * Double(steps))
  }
  public static var wrappingAngles: Set<String> { [] }
  public init(_ settings: EpisodeSettings) { self.init() }
  public static var foresight: Int { 0 }
  public func foresee(_ plan: [(action: [Double], repeats: Int)]) {}
  public mutating func randomize(using random: inout Random) -> Bool { false }
  public func render(into frame: inout PixelBuffer, as look: Look) { render(into: &frame) }

  public mutating func hold(_ action: [Double], for repeats: Int) -> (step: Step, count: Int) {
    var total = Step(reward: 0)
    for count in 1...repeats {
      let step = step(action)
      total.reward += total.discount * step.reward
      total.discount *= step.discount
      total.ending = step.ending
      if step.ending != .running { return (total, count) }
    }
    return (total, repeats)
  }

  public static func complaint(about state: [Double]) -> String? {
    guard state.count == stateNames.count else {
      return
        "a state of \(id) has \(stateNames.count) numbers (\(stateNames.joined(separator: ", "))), not \(state.count)"
    }
    guard state.allSatisfy(\.isFinite) else { return "a state must be finite, not \(state)" }
    return nil
  }
}
