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
  /// The bounds of the reward of one simulator step.
  static var rewardRange: ClosedRange<Double> { get }
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
  /// Some valid state, the same each time; `reset` draws one.
  init()
  /// Draws a start state.
  mutating func reset(using random: inout Random)
  /// One step of the simulator; never resets. Continuous actions outside their bounds are clipped. The time limit is
  /// `Episode`'s: only `terminated` is said here.
  mutating func step(_ action: [Double]) -> Step
  /// Draws the state into every pixel of a frame of any size and format.
  func render(into frame: inout PixelBuffer)
  /// The same in a look of one's choice, where there are several.
  func render(into frame: inout PixelBuffer, as look: Look)

  /// Positions followed by velocities, as MuJoCo orders them; setting it gives the same futures.
  var state: [Double] { get set }
  /// What an agent of the true state sees, and what the state probe regresses.
  var observation: [Double] { get }
  /// Says what is wrong with a state of a file or a foreign program, or nothing.
  static func complaint(about state: [Double]) -> String?
  /// Draws a state uniformly from all that an episode could meet; false where the environment does not allow it.
  mutating func randomize(using random: inout Random) -> Bool
}

extension Environment {
  public static func prepare() throws {}
  public static func drawer(of look: Look) throws -> String? { nil }
  public static var actionRepeat: Int { 1 }
  public static var explorationLength: Int? { nil }
  public static var rewardRange: ClosedRange<Double> { 0...1 }
  public static var wrappingAngles: Set<String> { [] }
  public mutating func randomize(using random: inout Random) -> Bool { false }
  public func render(into frame: inout PixelBuffer, as look: Look) { render(into: &frame) }

  public static func complaint(about state: [Double]) -> String? {
    guard state.count == stateNames.count else {
      return
        "a state of \(id) has \(stateNames.count) numbers (\(stateNames.joined(separator: ", "))), not \(state.count)"
    }
    guard state.allSatisfy(\.isFinite) else { return "a state must be finite, not \(state)" }
    return nil
  }
}
