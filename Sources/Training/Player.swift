import Agents
import Core
import Environments
import Pixels
import Replay
import Representations

/// A trained agent with all that it plays with: an environment, a representation, a memory.
public protocol Player<E>: Sendable {
  associatedtype E: Environment
  associatedtype A: Agent
  associatedtype R: Representation

  var environment: E { get }
  var agent: A { get }
  var representation: R { get }
  var layout: HistoryLayout { get }
  /// How the episodes are played.
  var episode: EpisodeSettings { get }
  /// How it learned.
  var training: TrainingSettings { get }
}

extension Player {
  /// The agent as it acts for the best.
  var policy: any Policy { TrainedPolicy(agent: agent, representation: representation, layout: layout) }

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
      of: agent, in: environment, episode, through: representation, layout: layout, episodes: episodes,
      behavior: behavior,
      seed: seed, watch: watch, outcome: outcome)
  }
}

struct TrainedPlayer<E: Environment, A: Agent, R: Representation>: Player {
  let environment: E
  let agent: A
  let representation: R
  let layout: HistoryLayout
  let episode: EpisodeSettings
  let training: TrainingSettings
}
