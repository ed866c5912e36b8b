import Core
import Environments
import Representations
import Runs

extension Baseline {
  /// Plays episodes with actions drawn uniformly, each held for the settings' action repeat.
  ///
  /// - Parameters:
  ///   - count: The number of episodes. With 0, only the bounds of the return are known.
  ///   - seed: The seed of the run, whose evaluations have the same start states.
  /// - Throws: `Interrupted` at a signal, and the environment's errors.
  init(in environment: some Environment, _ settings: EpisodeSettings, episodes count: Int, seed: Seed) throws {
    let spec = environment.spec
    var random = seed.stream("random player")
    var (returns, lengths): ([Double], [Int]) = ([], [])
    for i in 0..<count {
      var episode = try Episode(environment, settings, seed: Evaluation.start(of: i, seed.child("evaluation")))
      while episode.ending == .running {
        let outcome = try episode.step(spec.actionSpace.sample(using: &random))
        try episode.requireFinite(after: outcome, in: "episode \(i + 1) of random play")
        try Interruption.check()
      }
      returns.append(episode.episodeReturn)
      lengths.append(episode.steps)
    }
    self.init(returns: returns, lengths: lengths, returnRange: spec.returnRange(steps: spec.timeLimit(settings)))
  }
}
