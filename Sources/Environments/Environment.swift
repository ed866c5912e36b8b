import Core
import Pixels

/// A task that renders itself: physics, reward and picture in one value, whose copy is a snapshot, and which a checkpoint
/// stores as it stands.
///
/// Generic code takes a value of it, which says by `spec` which environment it is, and from which each `Episode` makes its
/// own. The members of the catalog are `BuiltInEnvironment`s; `GymEnvironment` is any environment of Gymnasium.
public protocol Environment: Sendable, Codable {
  /// What can go wrong outside the program while it is played; `Never` where there is nothing outside.
  associatedtype Failure: Error = Never

  /// What is known of it; the same at each moment. It may be put together anew each time: keep it, as `Episode` does.
  var spec: EnvironmentSpec { get }
  /// What draws a look where that is not this program itself: the name of an OpenGL.
  /// - Throws: `WorldError` that says what to install.
  func drawer(of style: RenderStyle) throws -> String?
  /// Throws `WorldError` where there are no pictures to be had, which then are black.
  func checkPictures() throws
  /// The same environment in some valid state for episodes that are played with these settings, where they matter to more
  /// than `Episode`.
  func configured(by settings: EpisodeSettings) -> Self

  /// Draws a start state; all randomness comes from `random`.
  mutating func reset(using random: inout Random) throws(Failure)
  /// One step of the simulator; never resets. Continuous actions outside their bounds are clipped. The time limit is
  /// `Episode`'s: only `terminated`, with a discount of 0, is said here, or `failed` where the step was not taken and
  /// another episode can still be played. No step follows either.
  /// - Throws: what ends the play; the value is then as it was before.
  mutating func step(_ action: [Double]) throws(Failure) -> Step
  /// Holds an action for `repeats` steps of the simulator, fewer where the episode ends: the sum of the rewards, the product
  /// of the discounts, and how many steps were taken.
  mutating func hold(_ action: [Double], for repeats: Int) throws(Failure) -> (step: Step, count: Int)
  /// Says which calls of `hold` are next, as long as the episode goes on: what is simulated elsewhere can begin.
  func announce(_ plan: [(action: [Double], repeats: Int)]) throws(Failure)
  /// Draws the state into every pixel of a frame of any size and format, the same each time.
  func render(into frame: inout PixelBuffer) throws(Failure)
  /// The same in a look of one's choice, where there are several.
  func render(into frame: inout PixelBuffer, as style: RenderStyle) throws(Failure)

  /// What an agent of the true state sees, and what the state probe regresses: finite numbers.
  func readObservation() throws(Failure) -> [Double]
  /// Positions followed by velocities, as MuJoCo orders them.
  func readState() throws(Failure) -> [Double]
  /// Goes to a state that `validate(state:)` accepts, with the same futures as where it was read.
  mutating func set(state: [Double])
  /// Checks a state from a file or another program: its count of numbers, and that they are finite.
  /// - Throws: `InputError` that says what is wrong.
  func validate(state: [Double]) throws(InputError)
  /// Checks that this value, read from a checkpoint, can replace a new one of the same settings.
  /// - Throws: `InputError` that says what is wrong.
  func validate(against new: Self) throws(InputError)
  /// Draws a state uniformly from all that an episode could meet; false where the environment does not allow it.
  mutating func randomize(using random: inout Random) -> Bool
}

extension Environment {
  public func drawer(of style: RenderStyle) throws -> String? { nil }
  public func checkPictures() throws {}
  public func configured(by settings: EpisodeSettings) -> Self { self }
  public func announce(_ plan: [(action: [Double], repeats: Int)]) throws(Failure) {}
  public func validate(against new: Self) throws(InputError) {}
  public mutating func randomize(using random: inout Random) -> Bool { false }
  public func render(into frame: inout PixelBuffer, as style: RenderStyle) throws(Failure) { try render(into: &frame) }

  public mutating func hold(_ action: [Double], for repeats: Int) throws(Failure) -> (step: Step, count: Int) {
    var total = Step(reward: 0)
    for count in 1...repeats {
      let step = try step(action)
      total.reward += total.discount * step.reward
      total.discount *= step.discount
      total.ending = step.ending
      if step.ending != .running { return (total, count) }
    }
    return (total, repeats)
  }
}
