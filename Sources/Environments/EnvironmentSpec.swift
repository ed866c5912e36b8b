import Core

/// The fixed properties of an environment.
///
/// A built-in environment defines them as static properties of its type. A Gymnasium environment has one spec for each
/// name. Each episode refers to its spec, which is a class so that copies of an episode share it.
public final class EnvironmentSpec: Sendable {
  /// The name on the command line, such as `cartpole-swingup`.
  public let id: String
  /// One sentence for the catalog.
  public let note: String
  public let actionSpace: ActionSpace
  /// Simulator steps after which an episode is truncated, at least 1.
  public let episodeLength: Int
  /// The number of simulator steps per agent step, at least 1, as is customary for the task.
  public let actionRepeat: Int
  /// The number of simulator steps after which random play resets, if the start states cover much of the state space.
  /// If nil, random play runs whole episodes.
  public let explorationLength: Int?
  /// The absolute value to which the agent clips rewards. If nil, rewards are not clipped.
  public let rewardLimit: Double?
  /// The bounds of the reward of one simulator step.
  public let rewardRange: ClosedRange<Double>
  /// The unique names of the state's values, positions before velocities.
  public let stateNames: [String]
  /// The unique names of the observation's values. Empty if there are only pixels.
  public let observationNames: [String]
  /// The observations that are angles and wrap after a full turn. The state probe predicts their cosine and sine.
  public let wrappingAngles: Set<String>
  /// The default episode settings.
  public let episodeDefaults: EpisodeSettings
  /// The number of calls of `hold` that can be announced ahead.
  public let lookahead: Int
  /// The bounds of each return. If nil, they are computed from `rewardRange`.
  private let returnBounds: ClosedRange<Double>?

  /// - Parameter returnRange: The bounds of an episode's return, independent of its length. If nil, they are computed
  ///   from `rewardRange`.
  public init(
    id: String, note: String, actionSpace: ActionSpace, episodeLength: Int, actionRepeat: Int, explorationLength: Int?,
    rewardLimit: Double?, rewardRange: ClosedRange<Double>, returnRange: ClosedRange<Double>?, stateNames: [String],
    observationNames: [String], wrappingAngles: Set<String>, episodeDefaults: EpisodeSettings, lookahead: Int
  ) {
    self.id = id
    self.note = note
    self.actionSpace = actionSpace
    self.episodeLength = episodeLength
    self.actionRepeat = actionRepeat
    self.explorationLength = explorationLength
    self.rewardLimit = rewardLimit
    self.rewardRange = rewardRange
    self.stateNames = stateNames
    self.observationNames = observationNames
    self.wrappingAngles = wrappingAngles
    self.episodeDefaults = episodeDefaults
    self.lookahead = lookahead
    returnBounds = returnRange
  }

  /// Returns the bounds of the return of an episode of at most `steps` simulator steps, or nil if they are unknown.
  public func returnRange(steps: Int) -> ClosedRange<Double>? {
    if let returnBounds { return returnBounds }
    guard rewardRange.lowerBound.isFinite, rewardRange.upperBound.isFinite else { return nil }
    return min(0, rewardRange.lowerBound * Double(steps))...max(0, rewardRange.upperBound * Double(steps))
  }

  /// Returns the maximum number of simulator steps in an episode with these settings.
  public func timeLimit(_ settings: EpisodeSettings) -> Int {
    settings.timeLimit > 0 ? settings.timeLimit : episodeLength
  }

  /// Returns the number of simulator steps per agent step with these settings.
  public func actionRepeat(_ settings: EpisodeSettings) -> Int {
    settings.actionRepeat > 0 ? settings.actionRepeat : actionRepeat
  }
}
