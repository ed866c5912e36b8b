/// Notes 1.3.1 and 1.4.6: baselines, which are subtracted from the return.
extension Estimator {
  /// ∇J ≈ 1/N Σᵢ ∇log p(τᵢ) (r(τᵢ) − b), b = 1/N Σⱼ r(τⱼ)
  ///
  /// Notes (1.32), (1.33). The proof (1.34) to (1.36) is for a constant b. This b includes r(τᵢ) itself, which shrinks
  /// the mean to (1 − 1/N) ∇J.
  static let averageBaseline = Estimator(
    "average-baseline", source: "notes (1.32), (1.33)", .consistent("the mean is (1 − 1/N) of the gradient")
  ) { batch, problem, _ in
    let totals = batch.map { problem.totalReward($0) }
    let b = totals.reduce(0, +) / Double(totals.count)
    return problem.scoreMean(batch, totals.map { total in problem.steps { _ in total - b } })
  }

  /// ∇J ≈ 1/N Σᵢ ∇log p(τᵢ) (r(τᵢ) − bᵢ), bᵢ = 1/(N−1) Σ_{j≠i} r(τⱼ)
  ///
  /// Notes (1.32) with the average over the other trajectories (Kool 2019): unbiased. Needs N of at least 2.
  static let averageBaselineOfOthers = Estimator(
    "average-baseline-others", source: "notes (1.32), corrected"
  ) { batch, problem, _ in
    let totals = batch.map { problem.totalReward($0) }
    let sum = totals.reduce(0, +)
    return problem.scoreMean(
      batch,
      totals.map { total in
        let b = (sum - total) / Double(max(totals.count - 1, 1))
        return problem.steps { _ in total - b }
      })
  }

  /// ∇ₖJ ≈ 1/N Σᵢ gₖ(τᵢ) (r(τᵢ) − bₖ), bₖ = E[gₖ² r] / E[gₖ²], g = ∇log p(τ)
  ///
  /// The corrected notes (1.41): a baseline for each parameter, here the exact one.
  static let optimalBaseline = Estimator("optimal-baseline", source: "notes (1.41), corrected") { batch, problem, _ in
    let b = problem.optimalBaseline
    var gradient = b.map { _ in 0.0 }
    for trajectory in batch {
      let (g, total) = (problem.score(of: trajectory), problem.totalReward(trajectory))
      for k in g.indices { gradient[k] += g[k] * (total - b[k]) / Double(batch.count) }
    }
    return gradient
  }

  /// The same with bₖᵢ = Σ_{j≠i} gₖ(τⱼ)² r(τⱼ) / Σ_{j≠i} gₖ(τⱼ)²: unbiased, and computed from samples only.
  ///
  /// The corrected notes (1.41) from samples. If no other trajectory has a score for a parameter, bₖᵢ is 0.
  static let optimalBaselineOfOthers = Estimator(
    "optimal-baseline-others", source: "notes (1.41), corrected, sampled"
  ) { batch, problem, _ in
    let scores = batch.map { problem.score(of: $0) }
    let totals = batch.map { problem.totalReward($0) }
    return (0..<problem.policy.parameterCount).map { k in
      var (squares, weighted) = (0.0, 0.0)
      for (g, total) in zip(scores, totals) {
        squares += g[k] * g[k]
        weighted += g[k] * g[k] * total
      }
      var sum = 0.0
      for (g, total) in zip(scores, totals) {
        let others = squares - g[k] * g[k]
        // A difference of equal numbers leaves only rounding errors.
        let b = others > 1e-12 * squares ? (weighted - g[k] * g[k] * total) / others : 0
        sum += g[k] * (total - b)
      }
      return sum / Double(batch.count)
    }
  }

  /// ∇J ≈ 1/N Σᵢ Σ_t γ^{t−1} ∇log π(aᵢₜ|sᵢₜ) (Σ_{t′≥t} γ^{t′−t} rᵢₜ′ − V_t(sᵢₜ))
  ///
  /// Notes (1.103), with the exact V.
  static let stateBaseline = Estimator("state-baseline", source: "notes (1.103)") { batch, problem, _ in
    stateBaseline(batch, problem, problem.exact)
  }

  /// Notes (1.103) with the imperfect critic: still unbiased, since a state baseline adds zero to the mean.
  static let stateBaselineOfCritic = Estimator("state-baseline-critic", source: "notes (1.103)") { batch, problem, _ in
    stateBaseline(batch, problem, problem.critic)
  }

  private static func stateBaseline(_ batch: [Trajectory], _ problem: GradientProblem, _ values: [Values]) -> [Double] {
    problem.scoreMean(
      batch,
      batch.map { trajectory in
        let (rewards, v) = (problem.rewardsToGo(trajectory), problem.stateValues(trajectory, values))
        return problem.steps { problem.discounts[$0] * (rewards[$0] - v[$0]) }
      })
  }
}
