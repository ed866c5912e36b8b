import Core
import Networks
import Replay
import Tensors
import Testing

@testable import Agents

/// Six transitions of two environments: an episode that is truncated after three, one that terminates, one that is cut.
func sixTransitions() -> (rollout: Rollout, value: Tensor, nextValue: Tensor) {
  func column(_ x: [Float]) -> Tensor { Tensor(x, [6, 1]) }
  let rollout = Rollout(
    observation: column([0, 1, 2, 3, 4, 5]), action: column([0, 1, 0, 1, 1, 0]), reward: column([1, 2, 3, 4, 5, 6]),
    discount: column([1, 1, 1, 1, 0, 1]), nextObservation: column([1, 2, 9, 4, 8, 7]), lane: [0, 0, 0, 1, 1, 1],
    isLast: [false, false, true, false, true, true])
  return (rollout, column([10, 20, 30, 40, 50, 60]), column([20, 30, 7, 50, 8, 9]))
}

@Suite struct AdvantageTests {
  private let gamma = 0.5

  private func expect(_ tensor: Tensor, _ expected: [Double]) {
    #expect(tensor.shape == [6, 1])
    for (x, y) in zip(tensor.doubles, expected) { #expect(abs(x - y) < 1e-4, "\(tensor.array)") }
  }

  @Test func rewardsToGoAreDiscountedSumsOfTheStretch() {
    let (rollout, _, nextValue) = sixTransitions()
    expect(rollout.rewardsToGo(discount: gamma), [2.75, 3.5, 3, 6.5, 5, 6])
    // After a truncation and at the end of the rollout there is bootstrapping, after a termination there is none.
    expect(
      rollout.rewardsToGo(discount: gamma, bootstrapping: nextValue), [2.75 + 0.875, 3.5 + 1.75, 6.5, 6.5, 5, 10.5])
    #expect(rollout.stretches == [0..<3, 3..<5, 5..<6])
  }

  @Test func generalizedAdvantagesEqualTheSumsOfTheNotes() {
    let (rollout, v, vNext) = sixTransitions()
    let delta: [Double] = [1, -3, -23.5, -11, -45, -49.5]  // r + γ d V(o′) − V(o)
    func gae(_ lambda: Double) -> Tensor {
      rollout.generalizedAdvantages(value: v, nextValue: vNext, discount: gamma, lambda: lambda)
    }
    expect(gae(0), delta)
    let w = 0.5 * 0.8
    let sums: [Double] = [
      delta[0] + w * delta[1] + w * w * delta[2], delta[1] + w * delta[2], delta[2], delta[3] + w * delta[4], delta[4],
      delta[5],
    ]
    expect(gae(0.8), sums)
    // λ = 1: the rewards to go minus the critic's value; the values in between cancel.
    expect(
      gae(1) + v, rollout.rewardsToGo(discount: gamma, bootstrapping: vNext).doubles)
  }

  @Test func nStepAdvantagesEndAfterNStepsOrWithTheStretch() {
    let (rollout, v, vNext) = sixTransitions()
    func advantages(_ n: Int) -> Tensor {
      rollout.advantages(ofSteps: n, value: v, nextValue: vNext, discount: gamma)
    }
    expect(advantages(1), [1, -3, -23.5, -11, -45, -49.5])
    // r + γ r′ + γ² V, two rewards and not three: the corrected (1.109)
    expect(advantages(2), [1 + 1 + 7.5 - 10, -14.75, -23.5, -33.5, -45, -49.5])
    expect(advantages(99) + v, rollout.rewardsToGo(discount: gamma, bootstrapping: vNext).doubles)
  }

  /// Σ_n (1 − λ) λⁿ⁻¹ Âₙ = Â_GAE: the weights that (1.110) needs.
  @Test func generalizedAdvantagesAreTheWeightedMeanOfNSteps() {
    let (rollout, v, vNext) = sixTransitions()
    let lambda = 0.7
    var weighted = Tensor.zeros([6, 1])
    for n in 1...60 {
      let share = (1 - lambda) * (0..<n - 1).reduce(1) { product, _ in product * lambda }
      weighted = weighted + share * rollout.advantages(ofSteps: n, value: v, nextValue: vNext, discount: gamma)
    }
    expect(
      weighted, rollout.generalizedAdvantages(value: v, nextValue: vNext, discount: gamma, lambda: lambda).doubles)
  }

  @Test func advantagesByACriticIncludeItsTargets() {
    let (rollout, _, _) = sixTransitions()
    var random = Seed(1).stream("critic")
    let critic = ValueFunction(1, hidden: [4], learningRate: 1e-3, using: &random)
    let (v, vNext) = (critic(rollout.observation), critic(rollout.nextObservation))
    let (advantage, target) = rollout.generalizedAdvantages(by: critic, discount: gamma, lambda: 0.8)
    expect(
      advantage, rollout.generalizedAdvantages(value: v, nextValue: vNext, discount: gamma, lambda: 0.8).doubles)
    expect(target - v, advantage.doubles)
    // λ = 1: the targets are the rewards to go; the critic's values in between cancel.
    expect(
      rollout.generalizedAdvantages(by: critic, discount: gamma, lambda: 1).target,
      rollout.rewardsToGo(discount: gamma, bootstrapping: vNext).doubles)
  }

  @Test func standardizedAdvantagesHaveZeroMeanAndUnitDeviation() {
    let (rollout, _, _) = sixTransitions()
    let x = standardized(rollout.reward * 100).doubles
    #expect(abs(x.mean) < 1e-6 && abs(x.deviation - 1) < 1e-6)
    #expect(standardized(.zeros([6, 1])).array.allSatisfy { $0 == 0 })
  }
}
