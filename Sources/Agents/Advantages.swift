import Core
import Networks
import Replay
import Tensors

/// Returns and advantages of a rollout. Letters: r reward, d discount of the environment, γ the agent's discount, V the
/// critic's values; o′ is the next observation, also if the episode was then truncated.
extension Rollout {
  /// R_t = Σ_{t′≥t} γ^{t′−t} r_t′ over the rest of the stretch, plus the value of the last observation if the episode
  /// did not terminate: the reward to go (1.30), discounted as in (1.92). `[M, 1]`
  ///
  /// - Parameter values: V(o′), `[M, 1]`; nil for no bootstrapping.
  func rewardsToGo(discount gamma: Double, bootstrapping values: Tensor? = nil) -> Tensor {
    let (r, d) = (reward.doubles, discount.doubles)
    let v = values?.doubles
    var (sums, sum) = (r, 0.0)
    for t in r.indices.reversed() {
      sum = r[t] + gamma * d[t] * (isLast[t] ? v?[t] ?? 0 : sum)
      sums[t] = sum
    }
    return column(sums)
  }

  /// Â_t = Σ_{t′≥t} (γλ)^{t′−t} δ_t′,  δ_t = r_t + γ d_t V(o′_t) − V(o_t):  GAE (1.111), whose sum runs over t′ from t.
  /// `[M, 1]`
  ///
  /// - Parameters:
  ///   - value: V(o), `[M, 1]`.
  ///   - nextValue: V(o′), `[M, 1]`.
  func generalizedAdvantages(value: Tensor, nextValue: Tensor, discount gamma: Double, lambda: Double) -> Tensor {
    let (r, d, v, vNext) = (reward.doubles, discount.doubles, value.doubles, nextValue.doubles)
    var (advantages, advantage) = (r, 0.0)
    for t in r.indices.reversed() {
      let delta = r[t] + gamma * d[t] * vNext[t] - v[t]
      advantage = delta + (isLast[t] ? 0 : gamma * lambda * d[t] * advantage)
      advantages[t] = advantage
    }
    return column(advantages)
  }

  /// Returns GAE (1.111) with a critic's values, and the critic's targets: Â and y = Â + V̂(o), `[M, 1]` each.
  func generalizedAdvantages(
    by critic: ValueFunction, discount gamma: Double, lambda: Double
  ) -> (advantage: Tensor, target: Tensor) {
    let v = critic(observation)
    let advantage = generalizedAdvantages(
      value: v, nextValue: critic(nextObservation), discount: gamma, lambda: lambda)
    return (advantage, advantage + v)
  }

  /// Â_t = Σ_{t′=t…t+n−1} γ^{t′−t} r_t′ + γⁿ V(o_{t+n}) − V(o_t):  n steps (1.109), whose sum ends at t + n − 1, or
  /// fewer if the stretch ends sooner. `[M, 1]`
  func advantages(ofSteps n: Int, value: Tensor, nextValue: Tensor, discount gamma: Double) -> Tensor {
    let (r, d, v, vNext) = (reward.doubles, discount.doubles, value.doubles, nextValue.doubles)
    return column(
      r.indices.map { start in
        var (sum, weight, t) = (0.0, 1.0, start)
        while true {
          sum += weight * r[t]
          weight *= gamma * d[t]
          if isLast[t] || t + 1 == start + n { return sum + weight * vNext[t] - v[start] }
          t += 1
        }
      })
  }

  private func column(_ values: [Double]) -> Tensor { Tensor(values.map(Float.init), [values.count, 1]) }
}

/// Returns advantages with mean 0 and standard deviation 1, so that updates do not depend on the scale of the rewards.
func standardized(_ advantages: Tensor) -> Tensor {
  let values = advantages.doubles
  return (advantages - values.mean) / (values.deviation + 1e-8)
}
