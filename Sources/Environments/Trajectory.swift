import Core

/// One line of a rollout: a step's reward and the state after it.
public struct TrajectoryStep: Sendable, Hashable {
  /// The index of the step. 0 is the start state, which has no reward.
  public let step: Int
  /// The positions followed by the velocities.
  public let state: [Double]
  public let reward: Double
  public let discount: Double
  public let ending: Ending

  /// `{"step": 1, "state": [0.1, 3.14], "reward": 0.5, "discount": 1.0, "ending": "running"}`. Numbers are written
  /// without loss of precision. Those that are not finite are null.
  public var json: String {
    func text(_ x: Double) -> String { x.isFinite ? "\(x)" : "null" }
    let numbers = state.map(text).joined(separator: ", ")
    return """
      {"step": \(step), "state": [\(numbers)], "reward": \(text(reward)), "discount": \(text(discount)), \
      "ending": "\(ending.rawValue)"}
      """
  }
}

extension Environment {
  /// Plays the given actions, one per simulator step, until there are no more or the episode ends.
  /// - Parameter start: The positions followed by the velocities. If nil, a start state is drawn with `seed`.
  /// - Returns: The start state, then one line for each step.
  /// - Throws: `InputError` that names the first invalid value or action, or the error of the environment.
  public func rollout(
    from start: [Double]? = nil, actions: [[Double]], seed: Seed = Seed(0)
  ) throws -> [TrajectoryStep] {
    if let start { try validate(state: start) }
    for (index, action) in actions.enumerated() {
      do { try spec.actionSpace.validate(action) } catch { throw InputError("action \(index): \(error)") }
    }
    var settings = EpisodeSettings()
    settings.actionRepeat = 1
    var episode = try Episode(self, settings, seed: seed)
    if let start { episode.reset(to: start) }

    var lines = [
      TrajectoryStep(step: 0, state: try episode.environment.readState(), reward: 0, discount: 1, ending: .running)
    ]
    for action in actions where episode.ending == .running {
      let step = try episode.step(action)
      lines.append(
        TrajectoryStep(
          step: episode.steps, state: try episode.environment.readState(), reward: step.reward, discount: step.discount,
          ending: step.ending))
    }
    return lines
  }

  /// Returns the mean return of a policy that draws its actions uniformly.
  public func randomReturn(
    episodes: Int, seed: Seed, settings: EpisodeSettings = EpisodeSettings()
  ) throws(Failure) -> Double {
    precondition(episodes > 0, "a mean return needs at least one episode, not \(episodes)")
    let spec = spec
    var random = seed.stream("policy")
    var episode = try Episode(self, settings, seed: seed)
    var sum = 0.0
    for _ in 0..<episodes {
      try episode.reset()
      while episode.ending == .running { _ = try episode.step(spec.actionSpace.sample(using: &random)) }
      sum += episode.episodeReturn
    }
    return sum / Double(episodes)
  }
}
