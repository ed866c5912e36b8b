import Core

/// What is known of an environment before it is played, and stays the same as long as it is played.
///
/// A built-in environment gives it by static properties of its file, a Gymnasium environment has one for each name. An
/// episode carries it. A class, so that copies of an episode share one.
public final class EnvironmentSpec: Sendable {
  /// `cartpole-swingup`: what one types.
  public let id: String
  /// One sentence for the catalog.
  public let note: String
  public let actionSpace: ActionSpace
  /// Simulator steps after which an episode is truncated, at least 1.
  public let episodeLength: Int
  /// Simulator steps that an agent's action is held for, as the field does on the task, at least 1.
  public let actionRepeat: Int
  /// Simulator steps after which random play begins anew, where much lies in the start states; nil plays episodes out.
  public let explorationLength: Int?
  /// The size up to which a reward is learned from; nil where each is taken as it is.
  public let rewardLimit: Double?
  /// The bounds of the reward of one simulator step.
  public let rewardRange: ClosedRange<Double>
  /// The names of the state's numbers, each another, positions before velocities.
  public let stateNames: [String]
  /// The names of the observation's numbers, each another; none where there is nothing but pixels.
  public let observationNames: [String]
  /// Those of them that are angles and leap after a whole turn: the state probe reads their cosine and sine.
  public let wrappingAngles: Set<String>
  /// How it is played and seen unless said otherwise.
  public let episodeDefaults: EpisodeSettings
  /// How many calls of `hold` can begin before they are made.
  public let lookahead: Int
  /// The bounds of each return; nil where they follow from those of the reward.
  private let returnBounds: ClosedRange<Double>?

  /// - Parameter returnRange: the bounds of an episode's return, whatever its length; nil: what those of the reward add up
  ///   to.
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

  /// The bounds of the return of an episode of at most so many simulator steps; nil where none are known.
  public func returnRange(steps: Int) -> ClosedRange<Double>? {
    if let returnBounds { return returnBounds }
    guard rewardRange.lowerBound.isFinite, rewardRange.upperBound.isFinite else { return nil }
    return min(0, rewardRange.lowerBound * Double(steps))...max(0, rewardRange.upperBound * Double(steps))
  }

  /// Simulator steps of an episode that is played with these settings, at most.
  public func timeLimit(_ settings: EpisodeSettings) -> Int {
    settings.timeLimit > 0 ? settings.timeLimit : episodeLength
  }

  /// Simulator steps that an action is held for with these settings.
  public func actionRepeat(_ settings: EpisodeSettings) -> Int {
    settings.actionRepeat > 0 ? settings.actionRepeat : actionRepeat
  }
}
