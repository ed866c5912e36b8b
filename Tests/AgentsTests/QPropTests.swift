import Core
import Networks
import Replay
import Tensors
import Testing

@testable import Agents

@Suite struct QPropTests {
  private static let spaces: [ActionSpace] = [.continuous(low: [-1, -1], high: [1, 1]), .discrete(count: 3)]

  /// One-step episodes with a reward that depends on the action: Â is r - V, without bootstrapping bias.
  private func rollout(_ agent: inout QProp, _ space: ActionSpace, count: Int) -> RolloutWithReplay {
    let o = Tensor([count, 3], of: Float.self) { target in
      for i in 0..<target.count { target[i] = Float(i % 7) / 7 }
    }
    let a = agent.act(o, .explore)
    let reward = -square(a - 0.4).sum(axis: 1, keepingAxis: true)
    let rollout = Rollout(
      observation: o, action: a, reward: reward, discount: .zeros([count, 1]), nextObservation: o,
      lane: [Int](repeating: 0, count: count), isLast: [Bool](repeating: true, count: count))
    let batch = Batch(observation: o, action: a, reward: reward, discount: rollout.discount, nextObservation: o)
    return RolloutWithReplay(rollout: rollout, batches: [batch])
  }

  /// The policy's gradients on many small rollouts with and without the control variate have the same mean, within five
  /// standard errors (one false alarm in a million). With a good critic the control variate reduces the variance.
  @Test(arguments: spaces) func theControlVariateReducesTheVarianceWithoutBias(_ space: ActionSpace) throws {
    var settings = QProp.Settings()
    (settings.hidden, settings.adaptive, settings.criticLearningRate, settings.entropyBonus) = (16, false, 1e-2, 0)
    settings.tau = 1
    var agent = QProp(observationSize: 3, actionSpace: space, settings: settings, seed: Seed(1))
    var random = Seed(2).stream("passes")
    for _ in 0..<200 {
      let fitted = rollout(&agent, space, count: 64)
      _ = agent.fit(fitted.batches[0])
      _ = agent.baseline.fit(
        fitted.rollout.observation, to: fitted.rollout.reward, passes: 1, batch: 64, using: &random)
    }
    func gradient(_ eta: Double) -> Gradient {
      let rollout = rollout(&agent, space, count: 16).rollout
      return agent.gradient(of: rollout, rollout.reward - agent.baseline(rollout.observation), control: eta)
    }
    func moments(_ eta: Double) -> (mean: [Double], variance: [Double]) {
      let gradients = (0..<400).map { _ in
        gradient(eta).vector(of: agent.policy)
      }
      let columns = gradients[0].indices.map { k in gradients.map { $0[k] } }
      return (columns.map(\.mean), columns.map { $0.deviation * $0.deviation })
    }
    let (without, with) = (moments(0), moments(1))
    for k in with.mean.indices {
      let error = ((with.variance[k] + without.variance[k]) / 400).squareRoot()
      #expect(abs(with.mean[k] - without.mean[k]) <= 5 * error + 1e-6)
    }
    #expect(with.variance.reduce(0, +) < 0.5 * without.variance.reduce(0, +))
  }

  @Test func theLeastVarianceIsTheSlopeOfARegression() {
    let agent = QProp(observationSize: 3, actionSpace: Self.spaces[0], settings: .init(), seed: Seed(1))
    var random = Seed(3).stream("controls")
    let (control, noise) = (Tensor.normal([5000, 1], using: &random), Tensor.normal([5000, 1], using: &random))
    #expect(abs(agent.leastVariance(0.6 * control + noise + 3, control - 2) - 0.6) < 0.1)
    #expect(agent.leastVariance(-control, control) == 0 && agent.leastVariance(3 * control, control) == 1)
    #expect(agent.leastVariance(control, .zeros([5000, 1])) == 0, "a constant control variate")
  }

  @Test(arguments: spaces) func qPropLearnsABandit(_ space: ActionSpace) {
    var settings = QProp.Settings()
    (settings.hidden, settings.criticLearningRate, settings.baselineLearningRate) = (16, 1e-2, 1e-2)
    var agent = QProp(observationSize: 3, actionSpace: space, settings: settings, seed: Seed(1))
    for _ in 0..<80 { _ = agent.update(rollout(&agent, space, count: 32)) }
    for found in agent.act(Tensor(repeating: 0.5, [1, 3]), .exploit).array {
      #expect(space.isContinuous ? abs(found - 0.4) < 0.15 : found == 0)
    }
  }
}
