import Agents
import Core
import Environments
import Pixels
import Replay

/// A trained agent with all that it plays with: an environment, eyes, a memory.
public protocol Player<E>: Sendable {
  associatedtype E: Environment
  associatedtype A: Agent
  associatedtype O: Observer

  var environment: E { get }
  var agent: A { get }
  var observer: O { get }
  var layout: HistoryLayout { get }
  /// How the episodes are played.
  var episode: EpisodeSettings { get }
  /// How it learned.
  var training: TrainingSettings { get }
}

extension Player {
  /// The agent as it acts for the best.
  var policy: any Policy { TrainedPolicy(agent: agent, observer: observer, layout: layout) }

  /// Plays episodes from the start states that `seed` gives.
  ///
  /// - Parameters:
  ///   - watch: called with each frame of the first episode.
  ///   - outcome: called before that with the step that led to the frame.
  public func evaluate(
    episodes: Int, behavior: Behavior, seed: Seed, watch: (PixelBuffer) throws -> Void = { _ in },
    outcome: (Step) -> Void = { _ in }
  ) throws -> Evaluation {
    try Evaluation(
      of: agent, in: environment, episode, through: observer, layout: layout, episodes: episodes, behavior: behavior,
      seed: seed, watch: watch, outcome: outcome)
  }
}

struct TrainedPlayer<E: Environment, A: Agent, O: Observer>: Player {
  let environment: E
  let agent: A
  let observer: O
  let layout: HistoryLayout
  let episode: EpisodeSettings
  let training: TrainingSettings
}
