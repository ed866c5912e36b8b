import Core
import Pixels

/// A task with its physics, reward and rendering as one value. A copy is a snapshot, and a checkpoint stores the value.
///
/// Generic code takes such a value: `spec` describes the environment, and each `Episode` plays its own copy. The
/// environments of the catalog are `BuiltInEnvironment`s. `GymEnvironment` wraps any Gymnasium environment.
public protocol Environment: Sendable, Codable {
  /// The error thrown if something outside the program fails during an episode. `Never` if nothing can.
  associatedtype Failure: Error = Never

  /// The description of the environment, which never changes. It may be rebuilt on each access, so store it.
  var spec: EnvironmentSpec { get }
  /// Returns the name of the OpenGL driver that draws this style, or nil if the program draws it itself.
  /// - Throws: `WorldError` that says what to install.
  func openGLDriver(for style: RenderStyle) throws -> String?
  /// Checks that the environment can draw frames. If it cannot, its frames are black.
  /// - Throws: `WorldError` if it cannot.
  func checkRendering() throws
  /// Checks that the environment can draw its frames with the distractions of these settings.
  /// - Throws: `InputError` that names the flag.
  func checkDistractions(_ settings: EpisodeSettings) throws(InputError)
  /// Returns this environment, in a valid state, configured for episodes with these settings. Only for settings that
  /// `Episode` does not handle itself.
  func configured(by settings: EpisodeSettings) -> Self

  /// Draws a start state. All randomness comes from `random`.
  mutating func reset(using random: inout Random) throws(Failure)
  /// Takes one simulator step, without resetting. Continuous actions outside their bounds are clipped.
  ///
  /// The ending is `terminated`, with a discount of 0, or `failed` if the step was not taken but another episode can
  /// still be played. `Episode` applies the time limit. Do not call `step` after either.
  /// - Throws: An error that ends the run. The value is then unchanged.
  mutating func step(_ action: [Double]) throws(Failure) -> Step
  /// Repeats an action for `repeats` simulator steps, or fewer if the episode ends.
  /// - Returns: A step with the sum of the rewards and the product of the discounts, and the number of steps taken.
  mutating func hold(_ action: [Double], for repeats: Int) throws(Failure) -> (step: Step, count: Int)
  /// Announces the next calls of `hold`, up to the end of the episode, so that another process can start on them.
  func announce(_ plan: [(action: [Double], repeats: Int)]) throws(Failure)
  /// Draws the state into every pixel of a frame of any size and format, the same each time.
  func render(into frame: inout PixelBuffer) throws(Failure)
  /// Draws the state in the given style. Environments with only one style ignore it.
  func render(into frame: inout PixelBuffer, as style: RenderStyle) throws(Failure)

  /// Returns the observation of an agent that learns from the true state, which is also the target of the state probe.
  /// All values are finite.
  func readObservation() throws(Failure) -> [Double]
  /// Returns the positions followed by the velocities, in MuJoCo's order.
  func readState() throws(Failure) -> [Double]
  /// Sets a state that `validate(state:)` accepts. The future is the same as that of the state that was read.
  mutating func set(state: [Double])
  /// Checks that a state from a file or another program has the right number of values and that all are finite.
  /// - Throws: `InputError` that says what is wrong.
  func validate(state: [Double]) throws(InputError)
  /// Checks that this value, read from a checkpoint, can replace a new one of the same settings.
  /// - Throws: `InputError` that says what is wrong.
  func validate(against new: Self) throws(InputError)
  /// Draws a state uniformly from all states that an episode can reach.
  /// - Returns: false if the environment does not support this.
  mutating func randomize(using random: inout Random) -> Bool
}

extension Environment {
  public func openGLDriver(for style: RenderStyle) throws -> String? { nil }
  public func checkRendering() throws {}
  public func checkDistractions(_ settings: EpisodeSettings) throws(InputError) {
    guard let flag = settings.distractionFlag else { return }
    throw InputError(
      "\(flag) cannot be used with \(spec.id), which draws its own pictures: leave it out; --flicker, --occlusion and "
        + "--pixel-noise work with every environment")
  }
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
