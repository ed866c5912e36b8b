import Core
import Networks
import Replay
import Tensors

/// REINFORCE on whole episodes, with reward to go and the notes' baselines (Williams 1992; notes 1.3, 1.3.1, 1.4.6).
///
///     ∇J ≈ 1/N Σᵢ Σ_t ∇log π(aᵢₜ|oᵢₜ) (Rᵢₜ − b)
///
/// R is the reward to go (1.30) or the return of the whole episode (1.25), discounted from its first reward. There is
/// no bootstrapping: an episode's return is the sum of its observed rewards. A critic is fitted to the rewards to go
/// (1.87) with any baseline: it is `value`, and the baseline b = V̂(o) of (1.103).
///
/// Letters: o observation, a action, r reward, γ discount, N episodes, M transitions of them all, O observation size, A
/// action size, P parameters.
public struct Reinforce: Agent {
  public static let id = "reinforce"
  public static let note = "REINFORCE with reward to go and baselines (Williams 1992); on-policy"
  public static func accepts(_ actionSpace: ActionSpace) -> Bool { true }

  public enum Baseline: String, ChoiceSetting {
    case none, average, optimal, state
  }

  public struct Settings: RolloutSettings {
    public var hidden = 64
    public var horizon = 250
    public var discount = 0.99
    public var learningRate = 3e-3
    public var criticLearningRate = 3e-3
    public var criticPasses = 10
    public var rewardToGo = true
    public var baseline = Baseline.state

    public init() {}
    public static var fields: [Field<Self>] {
      [
        Field("hidden", \.hidden, 1...8192, "units in each of the two hidden layers of policy and critic"),
        Field(
          "horizon", \.horizon, 1...1_048_576, "agent steps per environment, in whole episodes, between updates"),
        Field("discount", \.discount, 0...1, "discount γ per agent step"),
        Field("learning-rate", \.learningRate, 0...1, "Adam's step size for the policy"),
        Field("critic-learning-rate", \.criticLearningRate, 0...1, "Adam's step size for the critic"),
        Field("critic-passes", \.criticPasses, 1...1000, "passes over the rollout to fit the critic"),
        Field("reward-to-go", \.rewardToGo, "sum the rewards after an action; without it, those of the whole episode"),
        Field(
          "baseline", \.baseline,
          "none; average: mean of the other episodes; optimal: least variance per parameter; state: critic's value"),
      ]
    }

    public var demand: Rollout.Demand { Rollout.Demand(horizon: horizon, wholeEpisodes: true) }
  }

  public let settings: Settings
  var policy: StochasticPolicy
  var critic: ValueFunction
  var optimizer: Adam
  var random: Random

  public init(observationSize: Int, actionSpace: ActionSpace, settings: Settings, seed: Seed) {
    var initial = seed.stream("initial weights")
    let hidden = [settings.hidden, settings.hidden]
    self.settings = settings
    policy = StochasticPolicy(observationSize, actionSpace, hidden: hidden, using: &initial)
    critic = ValueFunction(observationSize, hidden: hidden, learningRate: settings.criticLearningRate, using: &initial)
    optimizer = Adam(of: policy, learningRate: settings.learningRate)
    random = seed.stream("actions")
  }

  // a ~ π(·|o)
  public mutating func act(_ o: Tensor, _ behavior: Behavior) -> Tensor {
    policy(o).action(for: behavior, using: &random)
  }

  public func value(_ o: Tensor) -> Tensor { critic(o) }  // [B, 1]

  public mutating func update(_ rollout: Rollout) -> Lesson {
    let toGo = rollout.rewardsToGo(discount: settings.discount)  // [M, 1]
    let weights = weights(of: rollout, toGo)
    let gradient =
      settings.baseline == .optimal ? optimalGradient(rollout, weights) : gradient(rollout, weights).gradient
    let entropy = policy(rollout.observation).entropy.mean().item
    optimizer.update(&policy, along: gradient)
    let criticLoss = critic.fit(
      rollout.observation, to: toGo, passes: settings.criticPasses, batch: 64, using: &random)
    return Lesson(metrics: ["critic/loss": criticLoss, "actor/entropy": entropy, "actor/gradient": gradient.norm])
  }

  /// Rᵢₜ − b of every step: `[M, 1]`. b = 0 for the optimal baseline, which differs between parameters.
  func weights(of rollout: Rollout, _ toGo: Tensor) -> Tensor {
    let r = toGo.doubles
    let episodes = rollout.stretches
    // R: the reward to go, or the episode's whole return at each of its steps                  (1.30) or (1.25)
    var weights = r
    if !settings.rewardToGo {
      for episode in episodes { for t in episode { weights[t] = r[episode.lowerBound] } }
    }
    switch settings.baseline {
    case .none, .optimal: break
    case .average:
      // bₜ = the mean of the other episodes' R at t: with reward to go (1.71), with the return (1.33). Including the
      // episode itself would shrink the gradient by 1/N.
      var (sums, counts) = ([Double](), [Double]())
      for episode in episodes {
        for (t, row) in episode.enumerated() {
          if t == sums.count { (sums, counts) = (sums + [0], counts + [0]) }
          sums[t] += weights[row]
          counts[t] += 1
        }
      }
      for episode in episodes {
        for (t, row) in episode.enumerated() where counts[t] > 1 {
          weights[row] -= (sums[t] - weights[row]) / (counts[t] - 1)
        }
      }
    case .state:
      let v = critic(rollout.observation).doubles  // b = V̂(o)                                             (1.103)
      for t in weights.indices { weights[t] -= v[t] }
    }
    return Tensor(weights.map(Float.init), [weights.count, 1])
  }

  /// −1/N Σᵢ Σ_t ∇log π(aᵢₜ|oᵢₜ) wᵢₜ: the negative gradient of J, computed as the gradient of the pseudo-loss (1.63).
  func gradient(_ rollout: Rollout, _ weights: Tensor) -> (value: Double, gradient: Gradient) {
    let episodes = Double(rollout.stretches.count)
    return valueWithGradient(at: policy) { policy in
      -(policy(rollout.observation).logProbability(of: rollout.action) * weights).sum() / episodes
    }
  }

  /// −1/N Σᵢ (hᵢₖ − bᵢₖ gᵢₖ) for each parameter k, with g = Σ_t ∇log π, h = Σ_t ∇log π R and
  /// bᵢₖ = Σ_{j≠i} gⱼₖ hⱼₖ / Σ_{j≠i} gⱼₖ².
  ///
  /// The baseline of least variance: Var(h − b g) is least at b = E[g h] / E[g²], which is the corrected (1.41), E[g²
  /// r] / E[g²], if R is the whole return. It is computed from the other episodes only, so that it is unbiased.
  func optimalGradient(_ rollout: Rollout, _ weights: Tensor) -> Gradient {
    let episodes = rollout.stretches
    var (g, h) = ([[Double]](), [[Double]]())  // [N, P]
    for episode in episodes {
      let (o, a, r) = (
        rollout.observation.rows(episode), rollout.action.rows(episode), weights.rows(episode)
      )
      g.append(
        valueWithGradient(at: policy) { $0(o).logProbability(of: a).sum() }.gradient.vector(of: policy))
      h.append(
        valueWithGradient(at: policy) { ($0(o).logProbability(of: a) * r).sum() }.gradient.vector(of: policy))
    }
    let count = Double(episodes.count)
    let gradient = (0..<policy.parameterCount).map { k in
      var (squares, products) = (0.0, 0.0)
      for i in g.indices {
        squares += g[i][k] * g[i][k]
        products += g[i][k] * h[i][k]
      }
      var sum = 0.0
      for i in g.indices {
        let others = squares - g[i][k] * g[i][k]
        // The difference of nearly equal numbers is only rounding error.
        let b = others > 1e-9 * squares ? (products - g[i][k] * h[i][k]) / others : 0
        sum += h[i][k] - b * g[i][k]
      }
      return -sum / count
    }
    return Gradient(gradient, of: policy)
  }

  public mutating func visit(_ visitor: inout some ParameterVisitor) {
    visitor("policy", &policy)
    visitor("critic", &critic)
  }
}
