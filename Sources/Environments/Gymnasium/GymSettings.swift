import Core

/// What a Python process is told with each request.
struct GymSettings: Sendable, Hashable, Codable {
  /// Of the pictures that are asked for, where the environment has a choice.
  let channels: Int
  /// Steps of doing nothing before an episode, at most.
  let noOpStarts: Int
  /// Whether nothing counts after the loss of a life.
  let lifeLoss: Bool
  let failure: GymFailurePolicy
  /// Seconds that an answer may take.
  let timeout: Int
  /// Whether either side may wait awake; nil: where there is a processor for each process.
  var mayLook: Bool?

  init(_ settings: EpisodeSettings) {
    channels = settings.color.format.channels
    (noOpStarts, lifeLoss) = (settings.noOpStarts, settings.lifeLoss)
    (failure, timeout) = (settings.gymFailure, settings.gymTimeout)
  }
}

/// What becomes of a Python process that crashes, hangs or sends what does not fit.
public enum GymFailurePolicy: String, ChoiceSetting, Hashable {
  /// The program ends with an error.
  case stop
  /// The episode is truncated, and the next has another process.
  case truncate
}
