import Agents
import Core
import Environments
import Pixels
import Replay
import Representations

/// A trained agent with everything it needs to act: an environment, a representation and the layout of its history.
public protocol Player<E>: Sendable {
  associatedtype E: Environment
  associatedtype A: Agent
  associatedtype R: Representation

  var environment: E { get }
  var agent: A { get }
  var representation: R { get }
  var layout: HistoryLayout { get }
  /// The settings of the episodes.
  var episode: EpisodeSettings { get }
  /// The settings that it was trained with.
  var training: TrainingSettings { get }
}

extension Player {
  /// The policy with deterministic actions.
  var policy: any Policy { TrainedPolicy(agent: agent, representation: representation, layout: layout) }

  /// Plays episodes from start states that are drawn with `seed`.
  ///
  /// - Parameters:
  ///   - stopsAtSignals: Whether a signal ends it, with `Interrupted`.
  ///   - watch: Called with each frame of the first episode.
  ///   - outcome: Called before `watch` with the step that led to the frame.
  ///   - again: Called if the first episode failed, before it is watched from the start again.
  public func evaluate(
    episodes: Int, behavior: Behavior, seed: Seed, stopsAtSignals: Bool = true,
    watch: (PixelBuffer) throws -> Void = { _ in },
    outcome: (Step) -> Void = { _ in }, again: () -> Void = {}
  ) throws -> Evaluation {
    try Evaluation(
      of: agent, in: environment, episode, through: representation, layout: layout, episodes: episodes,
      behavior: behavior, seed: seed, stopsAtSignals: stopsAtSignals, watch: watch, outcome: outcome, again: again)
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
