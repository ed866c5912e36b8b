/// Notes 1.3 and 1.4.3: the likelihood-ratio gradient, causality and the discount.
extension Estimator {
  /// REINFORCE: ∇J ≈ 1/N Σᵢ (Σ_t ∇log π(aᵢₜ|sᵢₜ)) (Σ_t γ^{t−1} rᵢₜ)
  ///
  /// Notes (1.25). With a discount, it is the first line of option 2, (1.93).
  static let reinforce = Estimator("reinforce", source: "notes (1.25), (1.93)") { batch, problem, _ in
    problem.scoreMean(
      batch,
      batch.map { trajectory in
        let total = problem.totalReward(trajectory)
        return problem.steps { _ in total }
      })
  }

  /// Causality: ∇J ≈ 1/N Σᵢ Σ_t ∇log π(aᵢₜ|sᵢₜ) Σ_{t′≥t} γ^{t′−1} rᵢₜ′
  ///
  /// Notes (1.30). With a discount, (1.94). It is not a rearrangement of (1.25): past rewards are left out, since their
  /// product with the score has mean zero.
  static let rewardToGo = Estimator("reward-to-go", source: "notes (1.30), (1.94)") { batch, problem, _ in
    problem.scoreMean(
      batch,
      batch.map { trajectory in
        var rewards = zip(problem.discounts, trajectory.rewards).map { $0 * $1 }
        for t in (0..<problem.horizon - 1).reversed() { rewards[t] += rewards[t + 1] }
        return rewards
      })
  }

  /// Option 1: ∇J ≈ 1/N Σᵢ Σ_t ∇log π(aᵢₜ|sᵢₜ) Σ_{t′≥t} γ^{t′−t} rᵢₜ′
  ///
  /// Notes (1.92). It leaves out γ^{t−1}. It is not the gradient of any objective, but it is commonly used.
  static let discountOption1 = Estimator(
    "discount-option-1", source: "notes (1.92)", .biased("later decisions count as much as early ones")
  ) { batch, problem, _ in
    problem.scoreMean(batch, batch.map { problem.rewardsToGo($0) })
  }

  /// Option 2: ∇J ≈ 1/N Σᵢ Σ_t γ^{t−1} ∇log π(aᵢₜ|sᵢₜ) Σ_{t′≥t} γ^{t′−t} rᵢₜ′
  ///
  /// Notes (1.95): the same as (1.94), computed in another order.
  static let discountOption2 = Estimator("discount-option-2", source: "notes (1.95)") { batch, problem, _ in
    problem.scoreMean(
      batch,
      batch.map { trajectory in
        let rewards = problem.rewardsToGo(trajectory)
        return problem.steps { problem.discounts[$0] * rewards[$0] }
      })
  }
}
