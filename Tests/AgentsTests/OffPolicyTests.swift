import Core
import Foundation
import Replay
import Tensors
import Testing

@testable import Agents

/// Small problems with known solutions, for the agents that learn from replay.
@Suite struct OffPolicyTests {
  private let box = ActionSpace.continuous(low: [-1], high: [1])

  /// State 0: to state 1 if the action is positive, else to state 0 again, with reward -cost |a|. State 1: reward 1,
  /// terminates. The actions are drawn uniformly, not from the agent's policy.
  private func stepsToTheReward(_ random: inout Random, cost: Double) -> Batch {
    let states = (0..<64).map { $0 % 2 }
    let actions = states.map { _ in random.uniform(-1, 1) }
    let reward = zip(states, actions).map { Float($0 == 1 ? 1 : -cost * abs($1)) }
    let next = zip(states, actions).map { $0 == 1 || $1 > 0 ? 1 : 0 }
    return Batch(
      observation: oneHot(states, of: 2), action: Tensor(actions.map(Float.init), [64, 1]),
      reward: Tensor(reward, [64, 1]), discount: Tensor(states.map { $0 == 1 ? 0 : Float(1) }, [64, 1]),
      nextObservation: oneHot(next, of: 2))
  }

  @Test func twinDelayedDeterministicGradientLooksAhead() throws {
    var settings = TD3.Settings()
    (settings.hidden, settings.batch, settings.learningRate, settings.tau) = (32, 64, 3e-3, 0.05)
    settings.discount = 0.9
    var agent = TD3(observationSize: 2, actionSpace: box, settings: settings, seed: Seed(2))
    var random = Seed(3).stream("actions")
    for _ in 0..<300 { _ = agent.update(stepsToTheReward(&random, cost: 0.3)) }
    let action = agent.act(oneHot([0], of: 2), .exploit).array[0]
    #expect(action > 0 && action < 0.6, "\(action)")
    // Q(0, 0.2) = -0.06 + 0.9 · 1
    let q = agent.critics.first(oneHot([0, 1], of: 2), Tensor([Float(0.2), 0], [2, 1])).array
    #expect(abs(q[0] - 0.84) < 0.1 && abs(q[1] - 1) < 0.1, "\(q)")
  }

  @Test func targetNetworksFollowAtEveryActorPeriod() throws {
    var settings = TD3.Settings()
    (settings.hidden, settings.batch, settings.actorPeriod) = (8, 64, 3)
    var agent = TD3(observationSize: 2, actionSpace: box, settings: settings, seed: Seed(2))
    var random = Seed(3).stream("actions")
    func state(_ agent: TD3) -> [[Float]] {
      agent.parameters.filter { $0.name.hasPrefix("target_") || $0.name.hasPrefix("actor") }.map(\.value.array)
    }
    for update in 1...6 {
      let before = state(agent)
      let names = agent.update(stepsToTheReward(&random, cost: 0.3)).metrics.entries.map(\.name)
      #expect((state(agent) != before) == (update % 3 == 0) && names.contains("actor/loss") == (update % 3 == 0))
    }
  }

  @Test(arguments: [true, false]) func offPolicyActorCriticLooksAhead(_ baseline: Bool) throws {
    var settings = OffPolicyActorCritic.Settings()
    (settings.hidden, settings.batch, settings.tau, settings.discount) = (32, 64, 0.05, 0.9)
    (settings.criticLearningRate, settings.learningRate, settings.entropyBonus) = (3e-3, 3e-3, 0)
    (settings.baseline, settings.actionSamples) = (baseline, baseline ? 4 : 32)
    var agent = OffPolicyActorCritic(observationSize: 2, actionSpace: box, settings: settings, seed: Seed(2))
    var random = Seed(3).stream("actions")
    for _ in 0..<400 { _ = agent.update(stepsToTheReward(&random, cost: 0.3)) }
    let action = agent.act(oneHot([0], of: 2), .exploit).array[0]
    #expect(action > 0, "\(action)")
    #expect(abs(agent.value(oneHot([1], of: 2)).item - 1) < 0.1)
  }

  /// A chain of five states. Action 1 goes right, 0 goes left; the right end has reward 1 and terminates. Q*(s, right)
  /// = γ^(3 - s). Three quarters of the actions in replay go left.
  private func chain(_ random: inout Random) -> Batch {
    let states = (0..<64).map { _ in random.integer(below: 4) }
    let actions = states.map { _ in random.chance(0.25) ? 1 : 0 }
    let next = zip(states, actions).map { max(0, $0 + 2 * $1 - 1) }
    return Batch(
      observation: oneHot(states, of: 5), action: Tensor(actions.map(Float.init), [64, 1]),
      reward: Tensor(next.map { $0 == 4 ? 1 : Float(0) }, [64, 1]),
      discount: Tensor(next.map { $0 == 4 ? 0 : Float(1) }, [64, 1]), nextObservation: oneHot(next, of: 5))
  }

  @Test func discreteOffPolicyActorCriticLearnsAChain() throws {
    var settings = OffPolicyActorCritic.Settings()
    (settings.hidden, settings.batch, settings.tau, settings.discount) = (32, 64, 0.1, 0.9)
    (settings.criticLearningRate, settings.learningRate) = (3e-3, 3e-3)
    var agent = OffPolicyActorCritic(
      observationSize: 5, actionSpace: .discrete(count: 2), settings: settings, seed: Seed(1))
    var random = Seed(2).stream("transitions")
    for _ in 0..<500 { _ = agent.update(chain(&random)) }
    #expect(agent.act(oneHot([0, 1, 2, 3], of: 5), .exploit).array == [1, 1, 1, 1])
    // The values are those of the learned policy, which goes right, not of the policy that acted.
    for (found, expected) in zip(agent.value(oneHot([0, 1, 2, 3], of: 5)).array, [0.729, 0.81, 0.9, 1.0]) {
      #expect(abs(Double(found) - expected) < 0.1, "\(found) for \(expected)")
    }
  }

  /// Rainbow with all improvements, without one of them, and without all of them.
  @Test(arguments: ["none", "duelling", "noisy", "distributional", "all"])
  func rainbowLearnsAChain(_ leftOut: String) throws {
    var settings = Rainbow.Settings()
    (settings.hidden, settings.batch, settings.learningRate, settings.tau) = (32, 64, 3e-3, 0.1)
    (settings.discount, settings.atoms, settings.returnLimit) = (0.9, 21, 1.5)
    for part in ["double", "duelling", "noisy", "distributional", "prioritised"] where [part, "all"].contains(leftOut) {
      try settings.set(part, to: "false")
    }
    var agent = Rainbow(observationSize: 5, actionSpace: .discrete(count: 2), settings: settings, seed: Seed(1))
    var random = Seed(2).stream("transitions")
    var priorities: [Float] = []
    for _ in 0..<400 { priorities = agent.update(chain(&random)).priorities }
    let states = oneHot([0, 1, 2, 3], of: 5)
    #expect(agent.act(states, .exploit).array == [1, 1, 1, 1])
    let q = agent.network.values(states, nil).array
    for (state, value) in [0.729, 0.81, 0.9, 1.0].enumerated() {
      #expect(abs(Double(q[2 * state + 1]) - value) < 0.1, "Q(\(state), right) is \(q[2 * state + 1])")
    }
    #expect(priorities.count == (settings.prioritised ? 64 : 0) && priorities.allSatisfy { $0 > 0 })
  }

  /// Without `double` the target is the target network's maximum, with one draw of noise to select and to evaluate.
  @Test(arguments: [false, true]) func rainbowEvaluatesWithSeparateNoiseIfDouble(_ double: Bool) throws {
    var settings = Rainbow.Settings()
    (settings.hidden, settings.batch, settings.discount, settings.initialSigma) = (16, 64, 0.9, 4)
    (settings.double, settings.distributional, settings.prioritised) = (double, false, false)
    var agent = Rainbow(observationSize: 5, actionSpace: .discrete(count: 2), settings: settings, seed: Seed(1))
    var random = Seed(2).stream("transitions")
    let batch = chain(&random)
    agent.targetNetwork = Rainbow.Network(5, 2, settings, using: &random)
    var before = agent
    let selectionNoise = before.network.noise(using: &before.random)
    let evaluationNoise = double ? before.network.noise(using: &before.random) : selectionNoise
    let learningNoise = before.network.noise(using: &before.random)
    let next = before.targetNetwork.values(batch.nextObservation, evaluationNoise)  // [B, 2]
    let selected = before.network.values(batch.nextObservation, selectionNoise).argmax()
    let best = double ? next.picking(selected) : next.rowMaximum()
    let q = before.network.values(batch.observation, learningNoise).picking(batch.action.array.map { Int($0) })
    let expected = square(q - (batch.reward + 0.9 * batch.discount * best)).mean().item
    let loss = try #require(agent.update(batch).metrics["critic/loss"])
    #expect(abs(loss - expected) < 1e-5 * max(1, expected), "\(loss) for \(expected)")
  }

  /// The return is randomly 1 or -1. Rainbow must learn this distribution, not only its mean.
  @Test func rainbowLearnsADistribution() throws {
    var settings = Rainbow.Settings()
    (settings.hidden, settings.batch, settings.learningRate) = (16, 64, 5e-3)
    (settings.atoms, settings.returnLimit) = (5, 2)
    var agent = Rainbow(observationSize: 1, actionSpace: .discrete(count: 2), settings: settings, seed: Seed(1))
    let o = Tensor(repeating: 1, [64, 1])
    for _ in 0..<300 {
      _ = agent.update(
        Batch(
          observation: o, action: .zeros([64, 1]),
          reward: Tensor((0..<64).map { $0 % 4 == 0 ? 1 : Float(-1) }, [64, 1]),
          discount: .zeros([64, 1]), nextObservation: o))
    }
    let p = softmax(agent.network(o.rows(0..<1), nil)).array.prefix(5)
    for (found, expected) in zip(p, [0, 0.75, 0, 0.25, 0]) { #expect(abs(Double(found) - expected) < 0.05, "\(p)") }
  }

  @Test func importanceWeightsFollowTheirExponent() throws {
    var settings = Rainbow.Settings()
    (settings.hidden, settings.batch, settings.noisy, settings.distributional) = (8, 64, false, false)
    (settings.importanceExponent, settings.importanceUpdates, settings.learningRate) = (0.5, 4, 0)
    var agent = Rainbow(observationSize: 5, actionSpace: .discrete(count: 2), settings: settings, seed: Seed(1))
    var random = Seed(2).stream("transitions")
    var batch = chain(&random)
    let frequency = (0..<64).map { [0.25, 1, 4][$0 % 3] as Float }
    batch.frequency = Tensor(frequency, [64, 1])
    for beta in [0.5, 0.625, 0.75, 0.875, 1, 1] {
      #expect(agent.importanceExponent == beta)
      let lesson = agent.update(batch)
      let loss = try #require(lesson.metrics["critic/loss"])
      // Priorities are √|δ|: the loss must follow from them.
      let weights = frequency.map { pow(Double($0) / 0.25, -beta) }
      let expected = zip(weights, lesson.priorities).reduce(0) { $0 + $1.0 * pow(Double($1.1), 4) } / 64
      #expect(abs(loss - expected) < 1e-4 * max(1, expected))
    }
  }

  /// One step with reward -(a - 0.5)². The actions in replay are uniform, from an old policy.
  private func oldActions(_ random: inout Random) -> Batch {
    let o = Tensor(repeating: 1, [64, 1])
    let a = Tensor((0..<64).map { _ in Float(random.uniform(-1, 1)) }, [64, 1])
    return Batch(observation: o, action: a, reward: -square(a - 0.5), discount: .zeros([64, 1]), nextObservation: o)
  }

  /// With Q and newly drawn actions, the notes' algorithm finds the best action from an old policy's data. With V and
  /// the old actions, the gradient with respect to the mean, E[∂log π(a)/∂μ Â], is a covariance under the old policy.
  /// It points in the same direction for every mean, so the policy ends at the bound.
  @Test func replayedActionsOfOldPoliciesMisleadAnActorCritic() throws {
    func best<A: Agent>(_ type: A.Type, _ defaults: A.Settings) throws -> Double where A.Settings: BatchSettings {
      var settings = defaults
      for (key, value) in [("hidden", "32"), ("batch", "64"), ("learning-rate", "0.003")] {
        try settings.set(key, to: value)
      }
      var agent = A(observationSize: 1, actionSpace: box, settings: settings, seed: Seed(1))
      var random = Seed(2).stream("old actions")
      for _ in 0..<400 { _ = agent.update(oldActions(&random)) }
      return Double(agent.act(Tensor(repeating: 1, [1, 1]), .exploit).item)
    }
    let right = try best(OffPolicyActorCritic.self, .init())
    let broken = try best(BrokenOffPolicyActorCritic.self, .init())
    #expect(abs(right - 0.5) < 0.15, "\(right)")
    #expect(broken > 0.9, "\(broken)")
  }
}
