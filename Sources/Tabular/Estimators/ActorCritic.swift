/// Notes 1.4 and 1.4.6: estimators that use a critic, exact or imperfect, for future rewards.
extension Estimator {
  /// ∇J ≈ 1/N Σᵢ Σ_t γ^{t−1} ∇log π(aᵢₜ|sᵢₜ) A_t(sᵢₜ, aᵢₜ)
  ///
  /// Notes (1.76), with the exact A.
  static let advantage = Estimator("advantage", source: "notes (1.76)") { batch, problem, _ in
    problem.scoreMean(
      batch,
      batch.map { trajectory in
        problem.steps { t in
          let (s, a) = (trajectory.states[t], trajectory.actions[t])
          return problem.discounts[t] * (problem.exact[t].q[s][a] - problem.exact[t].v[s])
        }
      })
  }

  /// ∇J ≈ 1/N Σᵢ Σ_t γ^{t−1} ∇log π(aᵢₜ|sᵢₜ) (Q_t(sᵢₜ, aᵢₜ) − b_t), b_t = 1/N Σⱼ Q_t(sⱼₜ, aⱼₜ)
  ///
  /// Notes (1.70), (1.71), with the exact Q.
  static let averageQBaseline = Estimator(
    "average-q-baseline", source: "notes (1.70), (1.71)", .consistent("the mean is (1 − 1/N) of the gradient")
  ) { batch, problem, _ in
    let q = batch.map { trajectory in
      problem.steps { problem.exact[$0].q[trajectory.states[$0]][trajectory.actions[$0]] }
    }
    let b = problem.steps { t in q.reduce(0) { $0 + $1[t] } / Double(batch.count) }
    return problem.scoreMean(batch, q.map { q in problem.steps { problem.discounts[$0] * (q[$0] - b[$0]) } })
  }

  /// ∇J ≈ 1/N Σᵢ Σ_t γ^{t−1} ∇log π(aᵢₜ|sᵢₜ) (rᵢₜ + γ V_{t+1}(sᵢₜ₊₁) − V_t(sᵢₜ))
  ///
  /// Notes (1.101), with the exact V.
  static let actorCritic = Estimator("actor-critic", source: "notes (1.101)") { batch, problem, _ in
    generalizedAdvantage(batch, problem, problem.exact, lambda: 0)
  }

  /// Notes (1.101) with the imperfect critic.
  static let actorCriticOfCritic = Estimator(
    "actor-critic-critic", source: "notes (1.101)", .biased("the critic is wrong")
  ) { batch, problem, _ in
    generalizedAdvantage(batch, problem, problem.critic, lambda: 0)
  }

  /// Â = Σ_{t′=t…t+n−1} γ^{t′−t} r_t′ + γⁿ V̂_{t+n}(s_{t+n}) − V̂_t(s_t)
  ///
  /// Notes (1.109), corrected: n rewards, so the sum ends at t + n − 1.
  static func nStep(_ n: Int) -> Estimator {
    Estimator("n-step-\(n)", source: "notes (1.109), corrected", .biased("the critic is wrong")) { batch, problem, _ in
      nStep(batch, problem, rewards: n, bootstrap: n)
    }
  }

  /// Notes (1.109) as printed: n + 1 rewards. V̂(s_{t+n}) includes the last one again.
  static func nStepAsPrinted(_ n: Int) -> Estimator {
    Estimator(
      "n-step-\(n)-printed", source: "notes (1.109), as printed", .biased("a reward counts twice")
    ) { batch, problem, _ in
      nStep(batch, problem, rewards: n + 1, bootstrap: n)
    }
  }

  private static func nStep(
    _ batch: [Trajectory], _ problem: GradientProblem, rewards count: Int, bootstrap n: Int
  ) -> [Double] {
    problem.scoreMean(
      batch,
      batch.map { trajectory in
        let v = problem.stateValues(trajectory, problem.critic)
        return problem.steps { t in
          let rewards = trajectory.rewards[t..<min(t + count, problem.horizon)]
          let sum = zip(problem.discounts, rewards).reduce(0) { $0 + $1.0 * $1.1 }
          let rest = t + n < problem.horizon ? problem.discounts[n] * v[t + n] : 0
          return problem.discounts[t] * (sum + rest - v[t])
        }
      })
  }

  /// Â = Σ_{t′≥t} (γλ)^{t′−t} δ_t′, δ_t = r_t + γ V̂_{t+1}(s_{t+1}) − V̂_t(s_t)
  ///
  /// Notes (1.111), corrected: the sum runs over t′ from t. With (1.110) it needs the weights (1 − λ) λⁿ⁻¹.
  static func generalizedAdvantage(lambda: Double) -> Estimator {
    Estimator(
      "gae-\(lambda)", source: "notes (1.111), corrected", lambda == 1 ? .unbiased : .biased("the critic is wrong")
    ) { batch, problem, _ in
      generalizedAdvantage(batch, problem, problem.critic, lambda: lambda)
    }
  }

  private static func generalizedAdvantage(
    _ batch: [Trajectory], _ problem: GradientProblem, _ values: [Values], lambda: Double
  ) -> [Double] {
    let gamma = problem.process.discount
    return problem.scoreMean(
      batch,
      batch.map { trajectory in
        let v = problem.stateValues(trajectory, values)
        var advantages = problem.steps { trajectory.rewards[$0] + gamma * v[$0 + 1] - v[$0] }
        for t in (0..<problem.horizon - 1).reversed() { advantages[t] += gamma * lambda * advantages[t + 1] }
        return problem.steps { problem.discounts[$0] * advantages[$0] }
      })
  }

  /// ∇J ≈ 1/N Σᵢ Σ_t γ^{t−1} ∇log π(aᵢₜ|sᵢₜ) (Σ_{t′≥t} γ^{t′−t} rᵢₜ′ − Q̂_t(sᵢₜ, aᵢₜ))
  ///    + 1/N Σᵢ Σ_t γ^{t−1} ∇ E_{a∼π}[Q̂_t(sᵢₜ, a)]
  ///
  /// Notes (1.106), with the imperfect critic. The second sum corrects for its errors.
  static let controlVariate = Estimator("control-variate", source: "notes (1.106)") { batch, problem, _ in
    var weights = Weights(for: problem.policy)
    for trajectory in batch {
      let rewards = problem.rewardsToGo(trajectory)
      for t in 0..<problem.horizon {
        let (s, taken) = (trajectory.states[t], trajectory.actions[t])
        let scale = problem.discounts[t] / Double(batch.count)
        weights[s, taken] += scale * (rewards[t] - problem.critic[t].q[s][taken])
        for a in 0..<problem.policy.actionCount {
          weights[s, a] += scale * problem.policy.probabilities[s][a] * problem.critic[t].q[s][a]
        }
      }
    }
    return problem.policy.gradient(weights)
  }
}
