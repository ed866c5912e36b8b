import Core
import Networks
import Replay
import Tensors
import Testing

@testable import Agents

private let spaces = [ActionSpace.discrete(count: 2), .continuous(low: [-1], high: [1])]

/// The requirements on on-policy agents besides the contract.
@Suite struct OnPolicyTests {
  // MARK: - REINFORCE is the estimator of the notes

  private func reinforce(_ baseline: Reinforce.Baseline, rewardToGo: Bool = true) -> Reinforce {
    var settings = Reinforce.Settings()
    (settings.hidden, settings.discount, settings.baseline, settings.rewardToGo) = (4, 0.5, baseline, rewardToGo)
    return Reinforce(observationSize: 1, actionSpace: spaces[0], settings: settings, seed: Seed(1))
  }

  /// ∇log π(a|o) of each transition, `[M, P]`.
  private func scores(_ policy: StochasticPolicy, _ rollout: Rollout) -> [[Double]] {
    (0..<rollout.count).map { t in
      valueWithGradient(at: policy) {
        $0(rollout.observation.rows(t..<t + 1)).logProbability(of: rollout.action.rows(t..<t + 1)).sum()
      }.gradient.vector(of: policy)
    }
  }

  /// The episodes of `sixTransitions` and their discounted rewards, γ = ½.
  private static let episodes = [0..<3, 3..<5, 5..<6]
  private static let toGo = [2.75, 3.5, 3, 6.5, 5, 6]
  private static let whole = [2.75, 2.75, 2.75, 6.5, 6.5, 6]

  @Test(arguments: [Reinforce.Baseline.none, .average, .state], [true, false])
  func reinforceIsTheEstimatorOfTheNotes(_ baseline: Reinforce.Baseline, _ rewardToGo: Bool) {
    let agent = reinforce(baseline, rewardToGo: rewardToGo)
    let (rollout, _, _) = sixTransitions()
    var weights = rewardToGo ? Self.toGo : Self.whole
    switch baseline {
    case .none, .optimal: break
    case .average:
      // The mean of the other episodes at the same step; the third step of the first episode has none.
      let (r, others) = (weights, [[3, 5], [4], [], [0, 5], [1], [0, 3]])
      for t in weights.indices where !others[t].isEmpty { weights[t] -= others[t].map { r[$0] }.mean }
    case .state:
      let v = agent.critic(rollout.observation).doubles
      for t in weights.indices { weights[t] -= v[t] }
    }
    let scores = scores(agent.policy, rollout)
    let expected = scores[0].indices.map { k in
      -weights.indices.reduce(0) { $0 + scores[$1][k] * weights[$1] } / 3
    }
    let found = agent.gradient(rollout, agent.weights(of: rollout, rollout.rewardsToGo(discount: 0.5)))
    expectClose(found.gradient.vector(of: agent.policy), expected)
  }

  /// bₖ = Σ gₖ² r / Σ gₖ² over the other episodes: the corrected (1.41).
  @Test func theOptimalBaselineIsTheOneOfEachParameter() {
    let agent = reinforce(.optimal, rewardToGo: false)
    let (rollout, _, _) = sixTransitions()
    let steps = scores(agent.policy, rollout)
    let r = [2.75, 6.5, 6]
    let g = Self.episodes.map { episode in
      steps[0].indices.map { k in episode.reduce(0) { $0 + steps[$1][k] } }
    }
    let expected = steps[0].indices.map { k in
      -(0..<3).reduce(0.0) { sum, i in
        let others = (0..<3).filter { $0 != i }
        let squares = others.reduce(0) { $0 + g[$1][k] * g[$1][k] }
        let b = squares > 0 ? others.reduce(0) { $0 + g[$1][k] * g[$1][k] * r[$1] } / squares : 0
        return sum + g[i][k] * (r[i] - b)
      } / 3
    }
    let weights = agent.weights(of: rollout, rollout.rewardsToGo(discount: 0.5))
    expectClose(agent.optimalGradient(rollout, weights).vector(of: agent.policy), expected)
  }

  private func expectClose(_ a: [Double], _ b: [Double]) {
    let size = b.map(abs).max() ?? 0
    #expect(size > 0.01 && a.count == b.count)
    for (x, y) in zip(a, b) { #expect(abs(x - y) < 1e-4 * size) }
  }

  // MARK: - Steps within a trust region

  private func rollout(_ agent: inout some Agent, _ space: ActionSpace, seed: UInt64) -> Rollout {
    var random = Seed(seed).stream("rollout")
    let o = Tensor.normal([200, 3], using: &random)
    let a = agent.act(o, .explore)
    return Rollout(
      observation: o, action: a, reward: .normal([200, 1], using: &random) + a,
      discount: Tensor(repeating: 1, [200, 1]),
      nextObservation: .normal([200, 3], using: &random), lane: [Int](repeating: 0, count: 200),
      isLast: (0..<200).map { $0 % 10 == 9 })
  }

  @Test(arguments: spaces, [1e-4, 0.02, 1]) func trpoStaysWithinItsDivergence(_ space: ActionSpace, _ limit: Double) {
    var settings = TRPO.Settings()
    (settings.hidden, settings.divergence, settings.damping) = (16, limit, 1e-3)
    var agent = TRPO(observationSize: 3, actionSpace: space, settings: settings, seed: Seed(1))
    var most = 0.0
    for seed in 0..<8 {
      let rollout = rollout(&agent, space, seed: UInt64(seed))
      let old = agent.policy(rollout.observation)
      let metrics = agent.update(rollout).metrics
      let divergence = old.divergence(to: agent.policy(rollout.observation)).mean().item
      #expect(divergence <= limit * 1.001 && abs(divergence - (metrics["actor/divergence"] ?? .nan)) < 1e-6)
      most = max(most, divergence)
    }
    #expect(most > limit / 8, "the steps should use the allowed divergence")
  }

  /// A policy whose actions are all saturated.
  @Test(arguments: [Float(-10), 10, 100]) func ppoStaysFiniteWithSaturatedActions(_ mean: Float) {
    var settings = PPO.Settings()
    (settings.hidden, settings.learningRate) = (16, 0.05)
    var agent = PPO(observationSize: 3, actionSpace: spaces[1], settings: settings, seed: Seed(1))
    agent.policy.trunk.layers[2].bias = Tensor([mean], [1])
    let rollout = rollout(&agent, spaces[1], seed: 1)
    #expect(rollout.action.array.contains { abs($0) == 1 })
    let metrics = agent.update(rollout).metrics
    #expect(agent.parameters.allSatisfy { $0.value.isFinite })
    #expect(metrics.entries.allSatisfy { $0.value.isFinite }, "\(metrics)")
  }

  /// Actions in which ρ overflows: the old policy is narrow and far away.
  @Test func ppoStaysFiniteIfTheRatioOverflows() {
    var settings = PPO.Settings()
    (settings.hidden, settings.learningRate) = (16, 0.05)
    var agent = PPO(observationSize: 3, actionSpace: spaces[1], settings: settings, seed: Seed(1))
    agent.policy.logSigma[0].value = Tensor([Float(-4.5)], [1, 1])
    var rollout = rollout(&agent, spaces[1], seed: 1)
    rollout.action = Tensor(repeating: 0.9, [200, 1])
    _ = agent.update(rollout)
    #expect(agent.parameters.allSatisfy { $0.value.isFinite })
  }

  @Test(arguments: spaces) func naturalStepsHaveAboutTheDivergenceOfTheirLength(_ space: ActionSpace) {
    var settings = NaturalGradient.Settings()
    (settings.hidden, settings.stepSize, settings.damping) = (16, 0.1, 1e-3)
    var agent = NaturalGradient(observationSize: 3, actionSpace: space, settings: settings, seed: Seed(1))
    for seed in 0..<5 {
      let divergence = agent.update(rollout(&agent, space, seed: UInt64(seed))).metrics["actor/divergence"] ?? .nan
      // At most α²/2, if D is quadratic.
      #expect(divergence > 0.0001 && divergence < 0.0075, "\(divergence)")
    }
  }

  @Test func theClipLimitsTheDivergence() {
    var settings = PPO.Settings()
    (settings.hidden, settings.entropyBonus, settings.passes, settings.learningRate) = (16, 0, 200, 0.003)
    func divergence(_ clip: Double) -> Double {
      settings.clip = clip
      var agent = PPO(observationSize: 3, actionSpace: spaces[0], settings: settings, seed: Seed(1))
      return agent.update(rollout(&agent, spaces[0], seed: 1)).metrics["actor/divergence"] ?? .nan
    }
    #expect(divergence(0.05) < 0.3 * divergence(1))
  }

  // MARK: - Workers

  @Test func workersKeepCopiesAndCountTheirLag() {
    var settings = ActorCritic.Settings()
    (settings.hidden, settings.workers, settings.batchHorizon) = (8, 3, 4)
    var agent = ActorCritic(observationSize: 3, actionSpace: spaces[1], settings: settings, seed: Seed(1))
    var lags: [Double] = []
    for round in 0..<30 {
      var random = Seed(UInt64(round)).stream("rollout")
      let o = Tensor.normal([12, 3], using: &random)
      let metrics = agent.update(
        Rollout(
          observation: o, action: agent.act(o, .explore), reward: .normal([12, 1], using: &random),
          discount: Tensor(repeating: 1, [12, 1]), nextObservation: o, lane: (0..<12).map { $0 / 4 },
          isLast: (0..<12).map { $0 % 4 == 3 })
      ).metrics
      lags.append(metrics["workers/lag"] ?? .nan)
      #expect(agent.updates == 3 * (round + 1))
      // The last worker has the newest parameters, the others older ones.
      let ages = agent.workers.map { agent.updates - $0.copiedAt }.sorted()
      #expect(ages == [0, 1, 2])
      for worker in agent.workers {
        let isNewest = worker.model.parameterVector == agent.model.parameterVector
        #expect(isNewest == (worker.copiedAt == agent.updates))
      }
    }
    // Each copy is new when it is made, and on average two other updates come before the worker's next gradient.
    #expect(lags[0] == 1 && lags.dropFirst().allSatisfy { $0 == 2 })
  }

  @Test func aWorkersCopyActsForItsEnvironments() {
    var settings = ActorCritic.Settings()
    (settings.hidden, settings.workers) = (8, 2)
    var agent = ActorCritic(observationSize: 1, actionSpace: spaces[0], settings: settings, seed: Seed(1))
    // Worker 0 always chooses 0, worker 1 always 1, and the shared parameters 0.
    for (worker, bias) in [[Float(50), -50], [-50, 50]].enumerated() {
      agent.workers[worker].model.actor.trunk.layers[2].bias = Tensor(bias, [2])
    }
    agent.model.actor.trunk.layers[2].bias = Tensor([Float(50), -50], [2])
    let o = Tensor(repeating: 1, [5, 1])
    #expect(agent.act(o, .explore).array == [0, 1, 0, 1, 0])
    #expect(agent.act(o, .sample).array == [0, 0, 0, 0, 0])
    #expect(agent.act(o, .exploit).array == [0, 0, 0, 0, 0])
  }

  @Test func onlineIsOneStepAtATime() throws {
    var settings = ActorCritic.Settings()
    #expect(settings.demand.horizon == 32 && Reinforce.Settings().demand.wholeEpisodes)
    try settings.set("mode", to: "online")
    #expect(settings.demand.horizon == 1)
  }

  // MARK: - Learning

  /// A chain of five states. Action 1 goes right, 0 goes left, each step costs 0.1. The right end has reward 1 and
  /// terminates; episodes are truncated after twelve steps.
  private static func chain<A: Agent>(_ agent: inout A, updates: Int) where A.Settings.Experience == Rollout {
    let (lanes, limit) = (12, 12)
    for _ in 0..<updates {
      var (states, actions) = ([[Int]](repeating: [0], count: lanes), [[Float]](repeating: [], count: lanes))
      for _ in 0..<limit {
        let chosen = agent.act(oneHot(states.map { $0[$0.count - 1] }), .explore).array
        for lane in 0..<lanes where states[lane].last != 4 {
          actions[lane].append(chosen[lane])
          // In a box, positive actions go right.
          states[lane].append(max(0, states[lane][states[lane].count - 1] + (chosen[lane] > 0 ? 1 : -1)))
        }
      }
      let next = states.flatMap { $0.dropFirst() }
      let count = next.count
      _ = agent.update(
        Rollout(
          observation: oneHot(states.flatMap { $0.dropLast() }), action: Tensor(actions.flatMap { $0 }, [count, 1]),
          reward: Tensor(next.map { $0 == 4 ? 1 : Float(-0.1) }, [count, 1]),
          discount: Tensor(next.map { $0 == 4 ? 0 : Float(1) }, [count, 1]), nextObservation: oneHot(next),
          lane: states.indices.flatMap { [Int](repeating: $0, count: actions[$0].count) },
          isLast: actions.flatMap { lane in lane.indices.map { $0 == lane.count - 1 } }))
    }
  }

  private static func oneHot(_ states: [Int]) -> Tensor {
    Tensor([states.count, 5], of: Float.self) { target in
      for i in 0..<target.count { target[i] = states[i / 5] == i % 5 ? 1 : 0 }
    }
  }

  private func expectLearning<A: Agent>(
    _ type: A.Type, updates: Int = 40, _ settings: [String: String] = [:]
  ) throws where A.Settings.Experience == Rollout {
    var agentSettings = A.Settings()
    try agentSettings.set("hidden", to: "16")
    try agentSettings.set("learning-rate", to: "0.01", ifThere: true)
    for (key, value) in settings { try agentSettings.set(key, to: value) }
    for space in spaces {
      var agent = A(observationSize: 5, actionSpace: space, settings: agentSettings, seed: Seed(1))
      Self.chain(&agent, updates: updates)
      let best = agent.act(Self.oneHot([0, 1, 2, 3]), .exploit).array
      #expect(best.allSatisfy { $0 > 0 }, "\(A.id) \(settings) in \(space): \(best)")
      // The return from state 3 is 1; from state 0 it is lower by the cost of three steps.
      let v = agent.value(Self.oneHot([0, 3])).doubles
      #expect(v[1] > 0.8 && v[1] < 1.1 && v[0] < v[1] - 0.2, "\(A.id) \(settings): \(v)")
    }
  }

  @Test(arguments: Reinforce.Baseline.allCases) func reinforceLearns(_ baseline: Reinforce.Baseline) throws {
    try expectLearning(Reinforce.self, ["baseline": baseline.text])
    if baseline == .average { try expectLearning(Reinforce.self, ["reward-to-go": "false"]) }
  }

  @Test func naturalGradientLearns() throws { try expectLearning(NaturalGradient.self) }
  @Test func trpoLearns() throws { try expectLearning(TRPO.self) }
  @Test func ppoLearns() throws { try expectLearning(PPO.self, updates: 20) }

  @Test(arguments: [
    [:], ["shared-network": "true"], ["advantage-steps": "3"], ["gae-lambda": "0"],
    ["mode": "online", "critic-learning-rate": "0.01"],
  ])
  func actorCriticLearns(_ settings: [String: String]) throws {
    try expectLearning(ActorCritic.self, updates: settings["mode"] == nil ? 80 : 400, settings)
  }
}

extension SettingsGroup {
  fileprivate mutating func set(_ key: String, to value: String, ifThere: Bool) throws {
    if Self.fields.contains(where: { $0.key == key }) { try set(key, to: value) }
  }
}
