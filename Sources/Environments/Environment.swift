import Core
import Pixels

/// A task that renders itself: physics, reward and picture in one value, whose copy is a snapshot.
///
/// One new file and one line in `Environments.all` add a member; the contract tests then run over it.
public protocol Environment: Sendable {
  /// `cartpole-swingup`: what one types.
  static var id: String { get }
  /// One sentence for the catalog.
  static var note: String { get }
  static var actionSpace: ActionSpace { get }
  /// Steps after which an episode is truncated, before action repeat.
  static var episodeLength: Int { get }
  /// The action repeat that the field uses for the task.
  static var actionRepeat: Int { get }

  init()
  /// Draws a start state.
  mutating func reset(using random: inout Random)
  /// One step of the simulator; never resets. The time limit is `Episode`'s: only `terminated` is said here.
  mutating func step(_ action: [Double]) -> Step
  /// Draws the state into a frame of any size and format.
  func render(into frame: inout PixelBuffer)

  /// Positions followed by velocities, as MuJoCo orders them; setting it gives the same futures.
  var state: [Double] { get set }
  /// The names of `observation`.
  static var observationNames: [String] { get }
  /// What an agent of the true state sees, and what the state probe regresses.
  var observation: [Double] { get }
  /// Draws a state uniformly from all that an episode could meet; false where the environment does not allow it.
  mutating func randomize(using random: inout Random) -> Bool
}

extension Environment {
  public static var actionRepeat: Int { 1 }
  public mutating func randomize(using random: inout Random) -> Bool { false }
}
