import Contracts
import Core
import Networks
import Replay
import Tensors
import Testing

@testable import Agents

/// The parts of Rainbow that BBF adds.
@Suite struct RainbowTests {
  private let space = ActionSpace.discrete(count: 4)

  private func agent(_ change: (inout Rainbow.Settings) -> Void = { _ in }) -> Rainbow {
    var settings = Rainbow.Settings()
    (settings.hidden, settings.batch, settings.tau, settings.noisy) = (16, 8, 0.01, false)
    change(&settings)
    return Rainbow(observationSize: 6, actionSpace: space, settings: settings, seed: Seed(1))
  }

  /// The largest change of each parameter by an update.
  private func changes(_ agent: inout Rainbow) -> [(name: String, size: Float)] {
    let before = agent.parameters
    _ = agent.update(randomBatch(8, space, seed: 2))
    return zip(before, agent.parameters).map { old, new in
      (new.name, zip(old.value.array, new.value.array).map { abs($0 - $1) }.max() ?? 0)
    }
  }

  @Test func theTargetNetworkActs() {
    let o = randomObservation(64)
    var (online, target) = (agent(), agent { $0.actByTarget = true })
    #expect(online.act(o, .exploit).array == target.act(o, .exploit).array)
    var random = Seed(3).stream("other weights")
    online.targetNetwork = Rainbow.Network(6, 4, online.settings, using: &random)
    target.targetNetwork = online.targetNetwork
    #expect(online.act(o, .exploit).array.map { Int($0) } == online.network.values(o, nil).argmax())
    #expect(target.act(o, .exploit).array.map { Int($0) } == target.targetNetwork.values(o, nil).argmax())
    #expect(online.act(o, .exploit).array != target.act(o, .exploit).array)
    #expect(target.value(o).array == target.targetNetwork.values(o, nil).rowMaximum().array)
  }

  @Test func resetsComeAfterEachPeriodAsOftenAsAllowed() throws {
    var agent = agent { ($0.resets, $0.resetPeriod, $0.learningRate) = (2, 3, 1e-4) }
    var (resets, ages) = ([Int](), [Int]())
    for update in 1...12 {
      let changes = changes(&agent)
      let network = try #require(changes.first { $0.name == "network.advantage.output.weight" })
      let target = try #require(changes.first { $0.name == "target_network.advantage.output.weight" })
      #expect((network.size > 0.1) == (target.size > 0.1))
      if network.size > 0.1 { resets.append(update) }
      ages.append(agent.age)
      #expect(agent.optimizer.moments[0].steps == agent.age)
    }
    #expect(resets == [3, 6] && ages == [1, 2, 0, 1, 2, 0, 1, 2, 3, 4, 5, 6])
  }

  /// Both trunks move by the same part toward fresh weights, which differ; fresh biases are 0.
  @Test(arguments: [0, 0.5, 1.0]) func aResetBeginsTheHeadsAnewAndTheTrunkInPart(_ part: Double) throws {
    var agent = agent { ($0.resets, $0.resetPeriod, $0.trunkReset, $0.learningRate) = (1, 1, part, 0) }
    agent.network.replaceParameters { $0.hasSuffix("bias") ? Tensor(repeating: 3, $1.shape) : $1 }
    agent.targetNetwork = agent.network
    let before = agent.network
    _ = agent.update(randomBatch(8, space, seed: 2))
    for network in [agent.network, agent.targetNetwork] {
      #expect(network.trunk.bias.array.allSatisfy { abs(Double($0) - 3 * (1 - part)) < 1e-6 })
      #expect(network.norms[0].bias.array.allSatisfy { abs(Double($0) - 3 * (1 - part)) < 1e-6 })
      #expect((distance(network.trunk, before.trunk) < 1e-6) == (part == 0))
      for head in network.value + [network.advantage] {
        #expect(head.hidden.bias.array + head.output.bias.array == Array(repeating: 0, count: head.biasCount))
      }
    }
    #expect(agent.network.advantage.output.weight.array != agent.targetNetwork.advantage.output.weight.array)
    #expect((distance(agent.network.trunk, agent.targetNetwork.trunk) < 1e-6) == (part == 0))
  }

  @Test func learningGoesOnReproduciblyAfterAReset() {
    var one = agent { ($0.resets, $0.resetPeriod, $0.noisy) = (3, 2, true) }
    var copy = one
    #expect(one.live(space) == copy.live(space) && one.bits == copy.bits)
    #expect(one.live(space).metrics.joined().allSatisfy { $0.isFinite })
  }

  /// n falls from 10 to 3 and γ rises from 0.97 to 0.997, at the beginning and after each reset, as in BBF's code: equal
  /// factors of n and of 1 - γ.
  @Test func returnsAreAnnealedAfterEachReset() {
    var agent = agent {
      ($0.resets, $0.resetPeriod, $0.annealingUpdates, $0.discount) = (1, 6, 4, 0.997)
    }
    var (steps, discounts) = ([Int?](), [Double]())
    for _ in 0..<12 {
      let demand = agent.demand(returnSteps: 3)
      #expect(demand.count == 8 && demand.discount == agent.discount)
      steps.append(demand.returnSteps)
      discounts.append(demand.discount)
      _ = changes(&agent)
    }
    // 10 · 0.3^(k/4) and 1 - 0.03 · 0.1^(k/4)
    let cycle = [0.97, 0.98312976, 0.99051317, 0.99466516, 0.997, 0.997]
    #expect(steps == [10, 7, 5, 4, 3, 3, 10, 7, 5, 4, 3, 3])
    for (found, expected) in zip(discounts, cycle + cycle) { #expect(abs(found - expected) < 1e-8) }
  }

  @Test func withoutAnnealingReturnsAreThoseOfTheTraining() {
    var agent = agent()
    for _ in 0..<2 {
      let demand = agent.demand(returnSteps: 5)
      #expect(demand.returnSteps == 5 && demand.discount == 0.99)
      _ = changes(&agent)
    }
  }

  /// The target uses the annealed γ: with Q' = 1 and reward 0, the error is γ - Q.
  @Test func theTargetHasTheAnnealedDiscount() {
    var agent = agent {
      ($0.distributional, $0.annealingUpdates, $0.priorityExponent, $0.discount) = (false, 2, 1, 0.9)
      ($0.initialDiscount, $0.learningRate, $0.tau) = (0.6, 0, 0)
    }
    agent.network.replaceParameters { $0.contains("output.weight") ? Tensor.zeros($1.shape) : $1 }
    agent.network.value[0].output.bias = Tensor(repeating: 1, [1])
    agent.targetNetwork = agent.network
    let o = randomObservation(8)
    let batch = Batch(
      observation: o, action: .zeros([8, 1]), reward: .zeros([8, 1]), discount: Tensor(repeating: 1, [8, 1]),
      nextObservation: o)
    for discount in [0.6, 0.8, 0.9, 0.9] {
      let errors = agent.update(batch).priorities
      for error in errors { #expect(abs(Double(error) - (1 - discount)) < 1e-5, "\(error) at γ = \(discount)") }
    }
  }

  @Test func weightDecayShrinksMatricesOnly() throws {
    func learned(_ decay: Double) -> [(name: String, value: Tensor)] {
      var agent = agent { ($0.weightDecay, $0.learningRate) = (decay, 0.01) }
      agent.network.replaceParameters { $0.hasSuffix("bias") ? Tensor(repeating: 1, $1.shape) : $1 }
      _ = agent.update(randomBatch(8, space, seed: 2))
      return agent.network.parameters
    }
    for (plain, decayed) in zip(learned(0), learned(0.5)) {
      let isDecayed = plain.value.shape.rank > 1 && !plain.name.hasSuffix("_sigma")  // no noise: not learned
      #expect((plain.value.array == decayed.value.array) != isDecayed, "\(plain.name)")
    }
  }

  /// With ε far above √v, the first step is α g / ε.
  @Test func adamEpsilonLimitsTheFirstSteps() {
    var (small, large) = (agent(), agent { $0.adamEpsilon = 1 })
    let (before, after) = (changes(&small).map(\.size).max() ?? 0, changes(&large).map(\.size).max() ?? 0)
    #expect(after > 0 && after < before)
  }
}

private func distance(_ a: Linear, _ b: Linear) -> Float {
  zip(a.weight.array, b.weight.array).map { abs($0 - $1) }.max() ?? .nan
}

extension Rainbow.Head {
  fileprivate var biasCount: Int { hidden.bias.shape.count + output.bias.shape.count }
}
