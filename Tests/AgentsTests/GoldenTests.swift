import Core
import Foundation
import Networks
import Replay
import Tensors
import Testing

@testable import Agents

/// Compares updates of each agent with PyTorch: see agents.py, off_policy.py, bbf.py, mrq.py and offline.py in
/// experiments/checks/golden.
@Suite struct GoldenTests {
  let tensors: [String: Tensor]

  init() throws {
    let files = try ["agents", "off-policy", "bbf", "mrq", "offline"].map {
      try Safetensors(contentsOf: Bundle.module.bundlePath + "/Golden/\($0).safetensors")
    }
    tensors = Dictionary(uniqueKeysWithValues: files.flatMap { $0.tensors.map { ($0.name, $0.value) } })
  }

  private func tensor(_ name: String) throws -> Tensor { try #require(tensors[name], "no golden value \(name)") }

  @Test func softActorCritic() throws {
    var settings = SAC.Settings()
    (settings.hidden, settings.batch, settings.discount, settings.tau) = (12, 16, 0.97, 0.05)
    (settings.learningRate, settings.temperatureLearningRate, settings.averaging) = (3e-3, 1e-2, 0.05)
    let agent = SAC(
      observationSize: 7, actionSpace: .continuous(low: [-1, -1], high: [1, 1]), settings: settings, seed: Seed(7))
    try expectGolden(agent, "sac")
  }

  @Test func doubleDeepQNetwork() throws {
    var settings = DoubleDQN.Settings()
    (settings.hidden, settings.batch, settings.discount, settings.tau) = (12, 16, 0.9, 0.1)
    settings.learningRate = 2e-3
    let agent = DoubleDQN(observationSize: 7, actionSpace: .discrete(count: 4), settings: settings, seed: Seed(7))
    try expectGolden(agent, "dqn")
  }

  @Test func twinDelayedDeterministicGradient() throws {
    var settings = TD3.Settings()
    (settings.hidden, settings.batch, settings.discount, settings.tau) = (12, 16, 0.97, 0.05)
    (settings.learningRate, settings.targetNoise, settings.targetNoiseLimit) = (3e-3, 0.4, 0.5)
    let agent = TD3(
      observationSize: 7, actionSpace: .continuous(low: [-1, -1], high: [1, 1]), settings: settings, seed: Seed(7))
    try expectGolden(agent, "td3")
  }

  @Test(arguments: [
    ("bc", ActionSpace.continuous(low: [-1, -1], high: [1, 1])), ("bc-choices", .discrete(count: 4)),
  ]) func behaviorCloning(_ name: String, _ space: ActionSpace) throws {
    var settings = BehaviorCloning.Settings()
    (settings.hidden, settings.batch, settings.discount, settings.tau) = (12, 16, 0.97, 0.05)
    settings.learningRate = 3e-3
    let agent = BehaviorCloning(observationSize: 7, actionSpace: space, settings: settings, seed: Seed(7))
    try expectGolden(agent, name)
  }

  @Test func twinDelayedDeterministicGradientNearData() throws {
    var settings = TD3BC.Settings()
    (settings.hidden, settings.batch, settings.discount, settings.tau) = (12, 16, 0.97, 0.05)
    (settings.learningRate, settings.targetNoise, settings.targetNoiseLimit) = (3e-3, 0.4, 0.5)
    settings.qWeight = 1.5
    let agent = TD3BC(
      observationSize: 7, actionSpace: .continuous(low: [-1, -1], high: [1, 1]), settings: settings, seed: Seed(7))
    try expectGolden(agent, "td3-bc")
  }

  @Test(arguments: [
    ("iql", ActionSpace.continuous(low: [-1, -1], high: [1, 1])), ("iql-choices", .discrete(count: 4)),
  ]) func implicitQLearning(_ name: String, _ space: ActionSpace) throws {
    var settings = IQL.Settings()
    (settings.hidden, settings.batch, settings.discount, settings.tau) = (12, 16, 0.97, 0.05)
    (settings.learningRate, settings.expectile) = (3e-3, 0.8)
    (settings.inverseTemperature, settings.weightLimit) = (2, 3)
    let agent = IQL(observationSize: 7, actionSpace: space, settings: settings, seed: Seed(7))
    try expectGolden(agent, name)
  }

  @Test func rainbow() throws {
    var settings = Rainbow.Settings()
    (settings.hidden, settings.batch, settings.discount, settings.tau) = (12, 16, 0.9, 0.1)
    (settings.learningRate, settings.atoms, settings.returnLimit) = (2e-3, 11, 4)
    settings.importanceUpdates = 10
    let agent = Rainbow(observationSize: 7, actionSpace: .discrete(count: 4), settings: settings, seed: Seed(7))
    try expectGolden(agent, "rainbow")
  }

  /// Four updates with a reset after the second, and the actions of the target network.
  @Test func rainbowAsBBF() throws {
    var settings = Rainbow.Settings()
    (settings.hidden, settings.batch, settings.discount, settings.tau) = (12, 16, 0.95, 0.1)
    (settings.learningRate, settings.adamEpsilon, settings.weightDecay) = (2e-3, 1.5e-4, 0.1)
    (settings.atoms, settings.returnLimit, settings.noisy, settings.actByTarget) = (11, 4, false, true)
    (settings.importanceExponent, settings.importanceUpdates) = (0.5, Int.max)
    (settings.resets, settings.resetPeriod) = (1, 2)
    (settings.annealingUpdates, settings.initialDiscount) = (4, 0.8)
    var agent = Rainbow(observationSize: 7, actionSpace: .discrete(count: 4), settings: settings, seed: Seed(7))
    let batch = try batch("bbf")
    agent = try expectGolden(agent, "bbf", [batch, batch, batch, batch])
    #expect(agent.act(batch.observation, .exploit).array == (try tensor("bbf.actions").array))
  }

  @Test(arguments: [
    ("mrq", ActionSpace.continuous(low: [-1, -1], high: [1, 1])), ("mrq-choices", .discrete(count: 4)),
  ]) func modelBasedRepresentations(_ name: String, _ space: ActionSpace) throws {
    var settings = MRQ.Settings()
    (settings.hidden, settings.batch, settings.discount, settings.period) = (12, 16, 0.97, 2)
    (settings.learningRate, settings.weightDecay, settings.modelLearningRate) = (3e-3, 1e-3, 1e-3)
    (settings.modelWeightDecay, settings.contrastWeight, settings.gradientLimit) = (1e-2, 0.1, 0.5)
    (settings.targetNoise, settings.preactivationWeight) = (0.4, 1e-2)
    let steps = try (0..<3).map { k in
      let key = "\(name).steps.\(k)."
      return Segments.Step(
        action: try tensor(key + "action"), reward: try tensor(key + "reward"), discount: try tensor(key + "discount"),
        nextObservation: try tensor(key + "next_observation"), isPresent: try tensor(key + "is_present"))
    }
    // The buffer's mean absolute reward at each call: two updates of the encoder, two of the rest, and the same again.
    let experience = try [0.7, 0.7, 0.7, 0.4, 0.9, 0.9, 0.9, 0.9].map { mean in
      Segments(transition: try batch(name), steps: steps, meanAbsoluteReward: mean)
    }
    var agent = MRQ(observationSize: 7, actionSpace: space, settings: settings, seed: Seed(7))
    agent = try expectGolden(agent, name, experience)
    guard space.isContinuous else { return }
    let plans = try (0..<3).map { try tensor("\(name).plans.\($0)") }
    let values = try tensor("\(name).plan_values").doubles
    let o = try tensor("\(name).observation").rows(0..<values.count)
    for (found, expected) in zip(agent.value(ofPlans: plans, from: agent.encoder.state(o)), values) {
      #expect(abs(found - expected) < 1e-5)
    }
  }

  private func batch(_ name: String) throws -> Batch {
    var batch = Batch(
      observation: try tensor("\(name).observation"), action: try tensor("\(name).action"),
      reward: try tensor("\(name).reward"), discount: try tensor("\(name).discount"),
      nextObservation: try tensor("\(name).next_observation"))
    batch.frequency = tensors["\(name).frequency"]
    return batch
  }

  private func expectGolden<A: Agent>(_ agent: A, _ name: String) throws where A.Settings: BatchSettings {
    let batch = try batch(name)
    try expectGolden(agent, name, [batch, batch])
  }

  /// Compares an update on each experience. Returns the agent after them.
  @discardableResult
  private func expectGolden<A: Agent>(_ agent: A, _ name: String, _ all: [A.Settings.Experience]) throws -> A {
    var agent = agent
    let prefix = "\(name).before."
    try agent.load(tensors.filter { $0.key.hasPrefix(prefix) }.map { ($0.key, $0.value) }, prefix: prefix)
    for (update, experience) in zip(1..., all) {
      let lesson = agent.update(experience)
      if let priorities = tensors["\(name).priorities.\(update)"]?.array {
        for (found, expected) in zip(lesson.priorities, priorities) { #expect(abs(found - expected) < 1e-5) }
        #expect(lesson.priorities.count == priorities.count)
      }
      for golden in tensors where golden.key.hasPrefix("\(name).\(update).") {
        let key = String(golden.key.dropFirst("\(name).\(update).".count))
        let (found, expected) = (try #require(lesson.metrics[key], "no metric \(key)"), golden.value.item)
        #expect(abs(found - expected) <= 1e-5 * max(1, abs(expected)), "\(key) of update \(update)")
      }
    }
    for (parameter, value) in agent.parameters {
      let expected = try tensor("\(name).after.\(parameter)")
      #expect(value.shape == expected.shape)
      let difference = zip(value.array, expected.array).map { abs($0 - $1) }.max() ?? .nan
      #expect(difference <= 1e-5, "\(parameter)")
    }
    return agent
  }
}
