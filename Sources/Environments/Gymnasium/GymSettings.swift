import Core
import Pixels

/// The settings that a Python process needs with each request.
struct GymSettings: Sendable, Hashable, Codable {
  /// The number of channels of the requested pictures, if the environment supports both.
  let channels: Int
  /// The maximum number of no-op steps at the start of an episode.
  let noOpStarts: Int
  /// Whether the discount is 0 after the loss of a life.
  let lifeLoss: Bool
  let failure: GymFailurePolicy
  /// The time that an answer may take, in seconds.
  let timeout: Int
  /// Whether both sides may spin (busy-wait) before they sleep. If nil, they do if there is a CPU core for each
  /// process.
  var mayLook: Bool?
  /// How pictures become frames with other proportions. Nil, also in checkpoints of older versions: they are stretched.
  let fit: PictureFit?

  init(_ settings: EpisodeSettings) {
    channels = settings.color.format.channels
    (noOpStarts, lifeLoss) = (settings.noOpStarts, settings.lifeLoss)
    (failure, timeout) = (settings.gymFailure, settings.gymTimeout)
    fit = settings.fit == .stretch ? nil : settings.fit
  }
}

/// What happens if a Python process crashes, hangs or sends invalid data.
public enum GymFailurePolicy: String, ChoiceSetting, Hashable {
  /// End the program with an error.
  case stop
  /// End the episode, and start another process for the next one.
  case truncate
}
