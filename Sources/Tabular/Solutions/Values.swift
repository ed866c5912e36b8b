import Core

/// The values of a policy: V(s), Q(s, a) and A(s, a) = Q(s, a) − V(s), notes (1.73) to (1.75).
public struct Values: Sendable, Hashable {
  /// `[S]`
  public let v: [Double]
  /// `[S, A]`
  public let q: [[Double]]

  /// A(s, a), `[S, A]`
  public var advantages: [[Double]] { v.indices.map { s in q[s].map { $0 - v[s] } } }
}

extension MarkovDecisionProcess {
  /// Q(s, a) = r(s, a) + γ Σₛ′ p(s′|s, a) V(s′), notes (1.79) and (1.116): `[S, A]`.
  public func backup(_ v: [Double], discount: Double? = nil) -> [[Double]] {
    let gamma = discount ?? self.discount
    return (0..<stateCount).map { s in
      (0..<actionCount).map { a in rewards[s][a] + gamma * dot(transitions[s][a], v) }
    }
  }

  /// Returns the exact values of a policy π(a|s), `[S, A]`, without a horizon: the solution of V = r_π + γ T_π V.
  ///
  /// - Throws: `InputError` if the discount is 1, since the sum of rewards then diverges.
  public func values(of policy: [[Double]]) throws -> Values {
    guard discount < 1 else {
      throw InputError("with a discount of 1, values need a horizon: use a horizon, or a discount below 1")
    }
    let chain = try chain(under: policy)
    var system = Matrix.identity(stateCount)
    for s in 0..<stateCount {
      for following in 0..<stateCount { system[s, following] -= discount * chain.transitions[s][following] }
    }
    guard let v = system.solution(of: expectedRewards(under: policy)) else {
      throw InputError("the discount \(discount) is too close to 1 for exact values: use a smaller one")
    }
    return Values(v: v, q: backup(v))
  }

  /// The values of a policy at steps t = 1…`horizon`. At the last step, one reward remains, notes (1.9) and (1.10):
  /// Q_t(s, a) = E Σ_{t′≥t} γ^{t′−t} r_t′, and V_t(s) = Σₐ π(a|s) Q_t(s, a). `[T]`
  public func values(of policy: [[Double]], horizon: Int) -> [Values] {
    var values: [Values] = []
    var following = Array(repeating: 0.0, count: stateCount)
    for _ in 0..<horizon {
      let q = backup(following)
      following = (0..<stateCount).map { dot(policy[$0], q[$0]) }
      values.append(Values(v: following, q: q))
    }
    return values.reversed()
  }

  /// E Σ γ^{t−1} r_t from the start distribution, without a horizon: notes (1.12) with the discount.
  public func discountedReturn(of policy: [[Double]]) throws -> Double { try dot(start, values(of: policy).v) }

  /// E Σ_{t≤T} γ^{t−1} r_t from the start distribution, notes (1.16) with the discount.
  public func expectedReturn(of policy: [[Double]], horizon: Int) -> Double {
    values(of: policy, horizon: horizon).first.map { dot(start, $0.v) } ?? 0
  }

  /// The long-run average reward per step, Σ μ(s) π(a|s) r(s, a) with the stationary μ, notes (1.15).
  ///
  /// - Throws: `InputError` with the reason if the policy's chain is not ergodic.
  public func averageReward(of policy: [[Double]]) throws -> Double {
    try dot(chain(under: policy).stationaryDistribution(), expectedRewards(under: policy))
  }

  /// Σ_t γ^{t−1} p(s_t = s), `[S]`, which sums to 1 / (1 − γ): the weights of the states in the discounted gradient.
  ///
  /// - Throws: `InputError` if the discount is 1.
  public func discountedVisits(under policy: [[Double]]) throws -> [Double] {
    guard discount < 1 else { throw InputError("with a discount of 1, visits are infinite: use a discount below 1") }
    let chain = try chain(under: policy)
    var system = Matrix.identity(stateCount)
    for s in 0..<stateCount {
      for following in 0..<stateCount { system[following, s] -= discount * chain.transitions[s][following] }
    }
    guard let visits = system.solution(of: start) else {
      throw InputError("the discount \(discount) is too close to 1 for exact visits: use a smaller one")
    }
    return visits
  }

  func expectedRewards(under policy: [[Double]]) -> [Double] { (0..<stateCount).map { dot(policy[$0], rewards[$0]) } }
}
