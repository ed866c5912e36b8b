import Core
import Environments
import Representations
import Runs

extension Baseline {
  /// Plays episodes with actions drawn uniformly, each held for the settings' action repeat. An episode that fails is
  /// played again with the same start state and actions.
  ///
  /// - Parameters:
  ///   - count: The number of episodes. With 0, only the bounds of the return are known.
  ///   - seed: The seed of the run, whose evaluations have the same start states.
  /// - Throws: `Interrupted` at a signal, and the environment's errors.
  init<E: Environment>(in environment: E, _ settings: EpisodeSettings, episodes count: Int, seed: Seed) throws {
    let spec = environment.spec
    var random = seed.stream("random player")
    var (returns, lengths): ([Double], [Int]) = ([], [])
    for i in 0..<count {
      let name = "episode \(i + 1) of random play"
      func begin() throws -> Episode<E> {
        try Episode(environment, settings, seed: Evaluation.start(of: i, seed.child("evaluation")))
      }
      let before = random
      var (episode, failures) = (try begin(), 0)
      while episode.ending == .running {
        try Interruption.check()
        let outcome = try episode.step(spec.actionSpace.sample(using: &random))
        if outcome.ending == .failed {
          try Evaluation.count(&failures, of: name, in: spec.id)
          (episode, random) = (try begin(), before)
        } else {
          try episode.requireFinite(after: outcome, in: name)
        }
      }
      returns.append(episode.episodeReturn)
      lengths.append(episode.steps)
    }
    self.init(returns: returns, lengths: lengths, returnRange: spec.returnRange(steps: spec.timeLimit(settings)))
  }
}
