import Core

/// The exact gradients that estimators are compared with, by the policy gradient theorem (Sutton 2000), without
/// sampling.
extension MarkovDecisionProcess {
  /// ∇J of J = E Σ_{t≤T} γ^{t−1} r_t: Σ_t γ^{t−1} Σₛ p(s_t = s) Σₐ π(a|s) ∇log π(a|s) Q_t(s, a). `[P]`
  public func policyGradient(of policy: PolicyTable, horizon: Int) throws -> [Double] {
    try policyGradient(
      of: policy, values: values(of: policy.probabilities, horizon: horizon),
      marginals: stateMarginals(under: policy.probabilities, horizon: horizon))
  }

  /// The same sum with given states and values: the mean of an estimator with the states of another policy or with
  /// other values.
  ///
  /// - Parameters:
  ///   - values: Q_t, `[T]`
  ///   - marginals: p(s_t), `[T, S]`
  func policyGradient(of policy: PolicyTable, values: [Values], marginals: [[Double]]) -> [Double] {
    var weights = Weights(for: policy)
    for (power, (mu, values)) in zip(discounts(marginals.count), zip(marginals, values)) {
      for s in mu.indices where mu[s] > 0 {
        for a in 0..<actionCount { weights[s, a] += power * mu[s] * policy.probabilities[s][a] * values.q[s][a] }
      }
    }
    return policy.gradient(weights)
  }

  /// ∇J of J = E Σ γ^{t−1} r_t without a horizon: Σₛ d(s) Σₐ π(a|s) ∇log π(a|s) Q(s, a), with d the discounted visits.
  ///
  /// - Throws: `InputError` if the discount is 1.
  public func discountedPolicyGradient(of policy: PolicyTable) throws -> [Double] {
    let q = try values(of: policy.probabilities).q
    let d = try discountedVisits(under: policy.probabilities)
    var weights = Weights(for: policy)
    for s in 0..<stateCount { for a in 0..<actionCount { weights[s, a] = d[s] * policy.probabilities[s][a] * q[s][a] } }
    return policy.gradient(weights)
  }

  /// The Fisher matrix, notes (1.67): E[∇log π ∇log πᵀ] over the states and actions of `horizon` steps. Step t has the
  /// weight γ^{t−1}, as in the gradient. `[P, P]`
  public func fisherMatrix(of policy: PolicyTable, horizon: Int) throws -> Matrix {
    var weights = Weights(for: policy)
    let discounts = discounts(horizon)
    let total = discounts.reduce(0, +)
    for (power, p) in zip(discounts, try stateActionMarginals(under: policy.probabilities, horizon: horizon)) {
      for s in 0..<stateCount { for a in 0..<actionCount { weights[s, a] += power / total * p[s][a] } }
    }
    return policy.outerProducts(weights)
  }

  /// γ^{t−1} for t = 1…`horizon`
  func discounts(_ horizon: Int) -> [Double] {
    var discounts = [1.0]
    while discounts.count < horizon { discounts.append(discounts[discounts.count - 1] * discount) }
    return discounts
  }
}
