/// Notes 1.3.3: the gradient in the metric of the Kullback-Leibler divergence, D(π′‖π) ≈ ½ Δᵀ F Δ (1.66), corrected.
extension Estimator {
  /// (F̂ + ζ1)⁻¹ ĝ, F̂ = Σᵢ Σ_t γ^{t−1} ∇log π ∇log πᵀ / (N Σ_t γ^{t−1}), ĝ the reward to go (1.30) of the same batch
  ///
  /// Notes (1.66), (1.67). F̂ is unbiased. Its inverse and the product with ĝ are unbiased only in the limit.
  static let naturalGradient = Estimator(
    "natural-gradient", source: "notes (1.66), (1.67)", target: .naturalGradient,
    .consistent("the inverse of a mean is not the mean of inverses")
  ) { batch, problem, random in
    let gradient = Estimator.rewardToGo.estimate(batch, problem, &random)
    let fisher = problem.sampledFisher(batch).damped(by: GradientProblem.damping)
    guard let natural = fisher.solution(of: gradient) else {
      preconditionFailure("a positive semidefinite matrix with damping has a solution")
    }
    return natural
  }

  /// (F + ζ1)⁻¹ ĝ with the exact F: unbiased, since it is linear in ĝ.
  static let naturalGradientOfExactFisher = Estimator(
    "natural-gradient-exact-fisher", source: "notes (1.66), (1.67)", target: .naturalGradient
  ) { batch, problem, random in
    guard let natural = problem.fisher.solution(of: Estimator.rewardToGo.estimate(batch, problem, &random)) else {
      preconditionFailure("the Fisher matrix is not singular, as checked by GradientProblem")
    }
    return natural
  }
}

extension GradientProblem {
  /// F̂ of a batch, `[P, P]`: its mean is the exact F.
  func sampledFisher(_ batch: [Trajectory]) -> Matrix {
    let total = discounts.reduce(0, +) * Double(batch.count)
    var weights = Weights(for: policy)
    for trajectory in batch {
      for t in 0..<horizon { weights[trajectory.states[t], trajectory.actions[t]] += discounts[t] / total }
    }
    return policy.outerProducts(weights)
  }
}
