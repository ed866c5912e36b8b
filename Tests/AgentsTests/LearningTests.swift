import Core
import Foundation
import Replay
import Tensors
import Testing

@testable import Agents

@Suite struct LearningTests {
  /// One step, reward -(a - 0.3)² - (b + 0.5)²: the best action is (0.3, -0.5) for every observation.
  @Test func softActorCriticSolvesABandit() throws {
    var settings = SAC.Settings()
    (settings.hidden, settings.batch, settings.learningRate) = (32, 64, 3e-3)
    (settings.targetEntropyScale, settings.averaging) = (2, 0.05)
    var agent = SAC(
      observationSize: 1, actionSpace: .continuous(low: [-1, -1], high: [1, 1]), settings: settings, seed: Seed(1))
    let observation = Tensor(repeating: 1, [64, 1])
    for _ in 0..<300 {
      let action = agent.act(observation, .explore)
      let reward = -square(action - Tensor([Float(0.3), -0.5], [1, 2])).sum(axis: 1, keepingAxis: true)
      _ = agent.update(
        Batch(
          observation: observation, action: action, reward: reward, discount: .zeros([64, 1]),
          nextObservation: observation))
    }
    let action = agent.act(observation.rows(0..<1), .exploit).array
    #expect(abs(action[0] - 0.3) < 0.15 && abs(action[1] + 0.5) < 0.15, "\(action)")
  }

  /// The reward comes after a step with a cost: only a critic that bootstraps finds it.
  @Test func softActorCriticLooksAhead() throws {
    // State 0: reward -0.3 |a|, to state 1 if a > 0, else to state 0 again. State 1: reward 1, terminates.
    var settings = SAC.Settings()
    (settings.hidden, settings.batch, settings.learningRate, settings.tau) = (32, 64, 3e-3, 0.05)
    settings.discount = 0.9
    settings.initialTemperature = 0.01
    var agent = SAC(
      observationSize: 2, actionSpace: .continuous(low: [-1], high: [1]), settings: settings, seed: Seed(2))
    var random = Seed(3).stream("actions")
    for _ in 0..<300 {
      let states = (0..<64).map { $0 % 2 }
      let actions = states.map { _ in Float(random.uniform(-1, 1)) }
      let reward = zip(states, actions).map { $0 == 1 ? 1 : -abs($1) * 0.3 }
      let next = zip(states, actions).map { $0 == 1 || $1 > 0 ? 1 : 0 }
      _ = agent.update(
        Batch(
          observation: oneHot(states, of: 2), action: Tensor(actions, [64, 1]), reward: Tensor(reward, [64, 1]),
          discount: Tensor(states.map { $0 == 1 ? 0 : Float(1) }, [64, 1]), nextObservation: oneHot(next, of: 2)))
    }
    let action = agent.act(oneHot([0], of: 2), .exploit).array[0]
    #expect(action > 0, "\(action)")
    let (q1, _) = agent.critics(oneHot([0, 1], of: 2), Tensor([Float(0.2), 0], [2, 1]))
    // Q(0, 0.2) = -0.06 + 0.9 · 1, except for the small entropy bonus.
    #expect(abs(q1.array[0] - 0.84) < 0.1 && abs(q1.array[1] - 1) < 0.1, "\(q1.array)")
  }

  /// With no reward, a policy with the same entropy h everywhere and no termination, Q = αh γ / (1 - γ) at any n, and
  /// αh γⁿ / (1 - γⁿ) without the entropies between.
  @Test(arguments: [(1, true), (3, true), (3, false)])
  func nStepReturnsIncludeTheEntropyOfEachStep(_ steps: Int, _ includesAll: Bool) throws {
    var settings = SAC.Settings()
    (settings.hidden, settings.batch, settings.learningRate, settings.tau) = (16, 64, 3e-3, 0.2)
    (settings.discount, settings.initialTemperature, settings.actorPeriod) = (0.5, 1, 1000)
    settings.entropyBetween = includesAll
    let space = ActionSpace.continuous(low: [-1], high: [1])
    var agent = SAC(observationSize: 1, actionSpace: space, settings: settings, seed: Seed(4))
    agent.actor.trunk.replaceParameters { name, value in
      name == "layers.2.bias" ? Tensor([Float(0), -1], [2]) : name == "layers.2.weight" ? value * 0 : value
    }
    var random = Seed(5).stream("replay")
    let layout = HistoryLayout(latentSize: 1, frames: 1, actions: 0, actionSpace: space)
    var replay = ReplayBuffer(capacity: 200, layout: layout)
    replay.begin(lane: 0, latent: [Float(1)].span)
    for _ in 0..<150 {
      replay.append(
        lane: 0, action: [Float(random.uniform(-1, 1))].span, step: Step(reward: 0), latent: [Float(1)].span)
    }
    var schedule = UpdateSchedule(updatesPerStep: 1, returnSteps: steps)
    for _ in 0..<300 {
      schedule.owe()
      _ = agent.update(try #require(try Batch.next(settings.demand, from: replay, &schedule, using: &random)))
    }
    let o = Tensor(repeating: 1, [4096, 1])
    let h = try #require(agent.entropyBonus(o)).mean().item  // α is 1
    let n = includesAll ? 1 : Double(steps)
    let expected = h * pow(0.5, n) / (1 - pow(0.5, n))
    let found = agent.critics.first.value(of: concatenated(o, .zeros([4096, 1]))).mean().item
    #expect(abs(h) > 0.3 && abs(found - expected) < 0.12 * abs(h), "\(found) for \(expected)")
  }

  @Test(arguments: [true, false]) func theTemperatureMovesEntropyTowardItsTarget(_ isBelow: Bool) {
    var settings = SAC.Settings()
    (settings.hidden, settings.batch) = (16, 32)
    var agent = SAC(
      observationSize: 2, actionSpace: .continuous(low: [-1], high: [1]), settings: settings, seed: Seed(4))
    // μ = 0, log σ small or large: a narrow policy has less entropy than the target -1, a wide one more.
    agent.actor.trunk.replaceParameters { name, value in
      name == "layers.2.bias"
        ? Tensor([Float(0), isBelow ? -3 : 0.3], [2]) : name == "layers.2.weight" ? value * 0 : value
    }
    var random = Seed(5).stream("batch")
    let batch = Batch(
      observation: .normal([32, 2], using: &random), action: .zeros([32, 1]), reward: .zeros([32, 1]),
      discount: .zeros([32, 1]), nextObservation: .normal([32, 2], using: &random))
    let before = agent.temperature.logAlpha.item
    _ = agent.update(batch)
    let metrics = agent.update(batch).metrics
    #expect(((metrics["actor/entropy"] ?? .nan) < agent.targetEntropy) == isBelow)
    #expect((agent.temperature.logAlpha.item > before) == isBelow)
    #expect(agent.temperature.logAlpha.item != before)
  }

  /// A chain of five states. Action 1 goes right, 0 goes left; the right end has reward 1 and terminates. Q*(s, right)
  /// = γ^(3 - s).
  @Test func doubleDeepQNetworkLearnsAChain() throws {
    var settings = DoubleDQN.Settings()
    (settings.hidden, settings.batch, settings.learningRate, settings.tau) = (32, 64, 3e-3, 0.1)
    settings.discount = 0.9
    var agent = DoubleDQN(observationSize: 5, actionSpace: .discrete(count: 2), settings: settings, seed: Seed(1))
    var random = Seed(2).stream("transitions")
    for _ in 0..<400 {
      let states = (0..<64).map { _ in random.integer(below: 4) }
      let actions = states.map { _ in random.integer(below: 2) }
      let next = zip(states, actions).map { max(0, $0 + 2 * $1 - 1) }
      _ = agent.update(
        Batch(
          observation: oneHot(states, of: 5), action: Tensor(actions.map(Float.init), [64, 1]),
          reward: Tensor(next.map { $0 == 4 ? 1 : Float(0) }, [64, 1]),
          discount: Tensor(next.map { $0 == 4 ? 0 : Float(1) }, [64, 1]), nextObservation: oneHot(next, of: 5)))
    }
    let states = oneHot([0, 1, 2, 3], of: 5)
    #expect(agent.act(states, .exploit).array == [1, 1, 1, 1])
    let q = agent.network(states).array
    for (state, value) in [0.729, 0.81, 0.9, 1.0].enumerated() {
      #expect(abs(Double(q[2 * state + 1]) - value) < 0.05, "Q(\(state), right) is \(q[2 * state + 1])")
    }
    #expect(abs(q[2] - 0.6561) < 0.05, "Q(1, left) is \(q[2])")
  }

  @Test func epsilonDecreasesWithExploringSteps() {
    var settings = DoubleDQN.Settings()
    (settings.hidden, settings.initialEpsilon, settings.finalEpsilon, settings.epsilonSteps) = (8, 0.8, 0.1, 100)
    var agent = DoubleDQN(observationSize: 3, actionSpace: .discrete(count: 4), settings: settings, seed: Seed(1))
    #expect(agent.epsilon == 0.8)
    _ = agent.act(.zeros([50, 3]), .exploit)
    #expect(agent.epsilon == 0.8)
    _ = agent.act(.zeros([50, 3]), .explore)
    #expect(abs(agent.epsilon - 0.45) < 1e-12)
    _ = agent.act(.zeros([500, 3]), .explore)
    #expect(abs(agent.epsilon - 0.1) < 1e-12)
    // A tenth of the actions are random, three quarters of these not the greedy one.
    let greedy = agent.act(.zeros([1, 3]), .exploit).array[0]
    let others = agent.act(.zeros([4000, 3]), .explore).array.count { $0 != greedy }
    #expect((240...360).contains(others), "\(others)")
  }
}

func oneHot(_ states: [Int], of count: Int) -> Tensor {
  Tensor([states.count, count], of: Float.self) { target in
    for i in 0..<target.count { target[i] = states[i / count] == i % count ? 1 : 0 }
  }
}
