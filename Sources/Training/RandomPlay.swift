import Core
import Environments
import Representations
import Runs

extension Baseline {
  /// Plays episodes with actions drawn uniformly, each held for the settings' action repeat.
  ///
  /// - Parameters:
  ///   - count: episodes; with 0 only the bounds of a return are known.
  ///   - seed: of the run, whose evaluations have the same start states.
  /// - Throws: `Interrupted` at a signal, and what has gone wrong with the environment.
  init<E: Environment>(in environment: E.Type, _ settings: EpisodeSettings, episodes count: Int, seed: Seed) throws {
    var random = seed.stream("random player")
    var (returns, lengths): ([Double], [Int]) = ([], [])
    for i in 0..<count {
      var episode = Episode<E>(settings, seed: Evaluation.start(of: i, seed.child("evaluation")))
      while episode.ending == .running {
        let outcome = episode.step(E.actionSpace.sample(using: &random))
        try E.check()
        try episode.requireFinite(after: outcome, in: "episode \(i + 1) of random play")
        try Interruption.check()
      }
      returns.append(episode.episodeReturn)
      lengths.append(episode.steps)
    }
    let steps = settings.timeLimit > 0 ? settings.timeLimit : E.episodeLength
    self.init(returns: returns, lengths: lengths, returnRange: E.returnRange(steps: steps))
  }
}
