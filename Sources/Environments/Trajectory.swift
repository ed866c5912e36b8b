import Core

/// One line of a rollout: the state that a step led to, and what it gave.
public struct TrajectoryStep: Sendable, Hashable {
  /// 0 for the start, which has no reward yet.
  public let step: Int
  /// Positions followed by velocities.
  public let state: [Double]
  public let reward: Double
  public let discount: Double
  public let ending: Ending

  /// `{"step": 1, "state": [0.1, 3.14], "reward": 0.5, "discount": 1.0, "ending": "running"}`; numbers read back exactly,
  /// and those that are not finite are null.
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
  /// Plays given actions, one a simulator step, until they or the episode end.
  /// - Parameter start: positions followed by velocities; nil draws a start state from `seed`.
  /// - Returns: the start, then a line for each step.
  /// - Throws: `InputError` that names the first number or action that does not fit, and what the environment fails with.
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

  /// The mean return of a policy that draws its actions uniformly, each held for the settings' action repeat.
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
