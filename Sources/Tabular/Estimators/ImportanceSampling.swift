/// Notes 1.3.2: the gradient of π from trajectories of another policy π_b. With ρ_t = π(a_t|s_t) / π_b(a_t|s_t).
extension Estimator {
  /// ∇J ≈ 1/N Σᵢ (Π_t ρᵢₜ) (Σ_t ∇log π(aᵢₜ|sᵢₜ)) (Σ_t γ^{t−1} rᵢₜ)
  ///
  /// Notes (1.58), from the corrected (1.54) and (1.57).
  static let importancePerTrajectory = Estimator(
    "importance-trajectory", source: "notes (1.58)", samples: .behavior
  ) { batch, problem, _ in
    problem.scoreMean(
      batch,
      batch.map { trajectory in
        let weight = problem.ratios(trajectory).reduce(problem.totalReward(trajectory), *)
        return problem.steps { _ in weight }
      })
  }

  /// ∇J ≈ 1/N Σᵢ Σ_t ∇log π(aᵢₜ|sᵢₜ) (Π_{t′≤t} ρᵢₜ′) Σ_{t′≥t} γ^{t′−1} rᵢₜ′ Π_{t″=t+1…t′} ρᵢₜ″
  ///
  /// Notes (1.59), corrected: rewards from t on, and the ratios from t + 1 to t′. The first product includes that of t.
  static let importanceCausal = Estimator(
    "importance-causal", source: "notes (1.59), corrected", samples: .behavior
  ) { batch, problem, _ in
    problem.scoreMean(
      batch,
      batch.map { trajectory in
        let (past, future) = (problem.ratiosOfThePast(trajectory), problem.weightedRewardsToGo(trajectory))
        return problem.steps { past[$0] * future[$0] }
      })
  }

  /// ∇J ≈ 1/N Σᵢ Σ_t ∇log π(aᵢₜ|sᵢₜ) (Π_{t′≤t} ρᵢₜ′) Σ_t′ γ^{t′−1} rᵢₜ′ ρᵢₜ′
  ///
  /// Notes (1.59) as printed, with all rewards and "Π from t′ to t′". Kept to show the effect of the correction.
  static let importanceCausalAsPrinted = Estimator(
    "importance-causal-printed", source: "notes (1.59), as printed", samples: .behavior,
    .biased("a reward is weighed by its own ratio instead of all up to it")
  ) { batch, problem, _ in
    problem.scoreMean(
      batch,
      batch.map { trajectory in
        let (past, ratios) = (problem.ratiosOfThePast(trajectory), problem.ratios(trajectory))
        let total = dot(problem.discounts, zip(trajectory.rewards, ratios).map { $0 * $1 })
        return problem.steps { past[$0] * total }
      })
  }

  /// ∇J ≈ 1/N Σᵢ Σ_t ∇log π(aᵢₜ|sᵢₜ) (Π_{t′≤t} ρᵢₜ′) Σ_{t′≥t} γ^{t′−1} rᵢₜ′
  ///
  /// Notes, below (1.59): without the ratios of future steps. It improves the policy with respect to Q of π_b.
  static let importanceOfThePast = Estimator(
    "importance-past", source: "notes, below (1.59)", samples: .behavior, .biased("its Q is that of the behavior")
  ) { batch, problem, _ in
    problem.scoreMean(
      batch,
      batch.map { trajectory in
        let (past, rewards) = (problem.ratiosOfThePast(trajectory), problem.rewardsToGo(trajectory))
        return problem.steps { past[$0] * problem.discounts[$0] * rewards[$0] }
      })
  }

  /// ∇J ≈ 1/N Σᵢ Σ_t p_π(sᵢₜ, aᵢₜ) / p_b(sᵢₜ, aᵢₜ) ∇log π(aᵢₜ|sᵢₜ) Q̂ᵢₜ, Q̂ᵢₜ = Σ_{t′≥t} γ^{t′−1} rᵢₜ′ Π_{t″=t+1…t′} ρᵢₜ″
  ///
  /// Notes (1.61). Its marginals can be computed here, so that no product over past steps remains.
  static let importanceOfMarginals = Estimator(
    "importance-marginals", source: "notes (1.61)", samples: .behavior
  ) { batch, problem, _ in
    problem.scoreMean(
      batch,
      batch.map { trajectory in
        let (ratios, future) = (problem.ratios(trajectory), problem.weightedRewardsToGo(trajectory))
        return problem.steps { t in
          let s = trajectory.states[t]
          return problem.marginals[t][s] / problem.behaviorMarginals[t][s] * ratios[t] * future[t]
        }
      })
  }

  /// ∇J ≈ 1/N Σᵢ Σ_t ρᵢₜ ∇log π(aᵢₜ|sᵢₜ) Σ_{t′≥t} γ^{t′−1} rᵢₜ′
  ///
  /// Notes (1.62) with the ratio of the state marginals set to 1, as its text says.
  static let importanceWithoutMarginals = Estimator(
    "importance-no-marginals", source: "notes (1.62)", samples: .behavior,
    .biased("its states and its Q are those of the behavior")
  ) { batch, problem, _ in
    problem.scoreMean(
      batch,
      batch.map { trajectory in
        let (ratios, rewards) = (problem.ratios(trajectory), problem.rewardsToGo(trajectory))
        return problem.steps { ratios[$0] * problem.discounts[$0] * rewards[$0] }
      })
  }
}

extension GradientProblem {
  /// Π_{t′≤t} ρ_t′, `[T]`
  fileprivate func ratiosOfThePast(_ trajectory: Trajectory) -> [Double] {
    var product = 1.0
    return ratios(trajectory).map { ratio in
      product *= ratio
      return product
    }
  }

  /// Σ_{t′≥t} γ^{t′−1} r_t′ Π_{t″=t+1…t′} ρ_t″, `[T]`
  fileprivate func weightedRewardsToGo(_ trajectory: Trajectory) -> [Double] {
    let ratios = ratios(trajectory)
    var rewards = zip(discounts, trajectory.rewards).map { $0 * $1 }
    for t in (0..<horizon - 1).reversed() { rewards[t] += ratios[t + 1] * rewards[t + 1] }
    return rewards
  }
}
