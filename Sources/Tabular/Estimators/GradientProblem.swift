import Core

/// A decision process, a policy and a horizon, with the exact gradient and everything that estimators can use.
///
/// The objective is J = E Σ_{t≤T} γ^{t−1} r_t with the discount of the process. With 1, it is the notes' J before
/// (1.91). Critics depend on the time step: for Q_t and V_t, T − t + 1 rewards remain, and V_{T+1} = 0.
public struct GradientProblem: Sendable {
  public let process: MarkovDecisionProcess
  /// π, whose gradient is estimated.
  public let policy: PolicyTable
  /// The behavior policy of off-policy samples, `[S, A]`: by default, an equal mixture of π and another policy.
  public let behavior: [[Double]]
  public let horizon: Int
  /// γ^{t−1}, `[T]`
  public let discounts: [Double]
  /// Q_t and V_t of π, `[T]`.
  public let exact: [Values]
  /// An imperfect critic of π: Q_t with a fixed error for every state and action, and the corresponding V_t. `[T]`
  public let critic: [Values]
  /// p(s_t) under π and, below, under the behavior, `[T, S]`.
  public let marginals: [[Double]]
  public let behaviorMarginals: [[Double]]
  /// ∇J, `[P]`
  public let gradient: [Double]
  /// F + ζ1, the damped Fisher matrix. Without damping, that of a tabular softmax policy is singular.
  public let fisher: Matrix
  /// (F + ζ1)⁻¹ ∇J, `[P]`
  public let naturalGradient: [Double]
  /// E[g² R] / E[g²] of each parameter, the corrected notes (1.41).
  public let optimalBaseline: [Double]
  /// Tr Var of (1.25) for one trajectory, computed without sampling.
  public let reinforceVariance: Double

  static let damping = 0.01
  /// The maximum number of states times actions for a table of scores.
  public static let maximumPairs = 1000
  /// The maximum horizon. Products of more importance ratios, or their squares, could overflow.
  static let longestHorizon = 200

  /// - Parameters:
  ///   - behavior: The behavior policy, `[S, A]`. If nil, an equal mixture of π and another policy.
  ///   - horizon: T, from 1 to 200.
  ///   - criticError: The standard deviation of the critic's error, in units of that of Q₁ over states and actions.
  /// - Throws: `InputError` if the horizon is out of range or the gradient is zero.
  public init(
    _ process: MarkovDecisionProcess, policy: PolicyTable, behavior given: [[Double]]? = nil, horizon: Int,
    criticError: Double = 0.5, seed: Seed
  ) throws {
    precondition(criticError >= 0, "the critic's error must not be negative, not \(criticError)")
    guard (1...Self.longestHorizon).contains(horizon) else {
      throw InputError("the horizon must be a whole number from 1 to \(Self.longestHorizon), not \(horizon)")
    }
    (self.process, self.policy, self.horizon) = (process, policy, horizon)
    let pi = policy.probabilities
    var random = seed.stream("behavior")
    let other = SoftmaxPolicy(for: process, spread: 1, using: &random).probabilities
    behavior = given ?? zip(pi, other).map { zip($0, $1).map { ($0 + $1) / 2 } }
    discounts = process.discounts(horizon)
    exact = process.values(of: pi, horizon: horizon)
    critic = Self.flawed(exact, of: pi, error: criticError, seed: seed)
    marginals = try process.stateMarginals(under: pi, horizon: horizon)
    behaviorMarginals = try process.stateMarginals(under: behavior, horizon: horizon)
    gradient = try process.policyGradient(of: policy, horizon: horizon)
    let scale = process.rewards.reduce(0) { max($0, $1.map(abs).max() ?? 0) }
    guard gradient.contains(where: { abs($0) > 1e-9 * scale }) else {
      throw InputError(
        "the gradient of this policy is zero: use a problem whose actions differ, or a longer --horizon")
    }
    fisher = try process.fisherMatrix(of: policy, horizon: horizon).damped(by: Self.damping)
    guard let natural = fisher.solution(of: gradient) else {
      throw InputError("the Fisher matrix of this policy is singular: use another --seed")
    }
    naturalGradient = natural
    let moments = TrajectoryMoments(of: policy, in: process, horizon: horizon)
    optimalBaseline = moments.optimalBaseline
    reinforceVariance = moments.variances(baseline: gradient.map { _ in 0 }).reduce(0, +)
  }

  private static func flawed(_ exact: [Values], of pi: [[Double]], error: Double, seed: Seed) -> [Values] {
    var random = seed.stream("critic")
    let all = exact[0].q.flatMap { $0 }
    let mean = all.reduce(0, +) / Double(all.count)
    let spread = (all.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(all.count)).squareRoot()
    let errors = pi.map { row in row.map { _ in error * spread * random.normal() } }
    return exact.map { values in
      let q = zip(values.q, errors).map { zip($0, $1).map { $0 + $1 } }
      return Values(v: zip(pi, q).map { dot($0, $1) }, q: q)
    }
  }
}

// MARK: - Building blocks of estimators

extension GradientProblem {
  /// 1/N Σᵢ Σ_t w(i, t) ∇log π(aᵢₜ|sᵢₜ), `[P]`
  ///
  /// - Parameter weights: `[N, T]`
  func scoreMean(_ batch: [Trajectory], _ weights: [[Double]]) -> [Double] {
    var sum = Weights(for: policy)
    for (trajectory, weights) in zip(batch, weights) {
      for t in 0..<horizon {
        sum[trajectory.states[t], trajectory.actions[t]] += weights[t] / Double(batch.count)
      }
    }
    return policy.gradient(sum)
  }

  /// Σ_t ∇log π(a_t|s_t) = ∇log p(τ), `[P]`
  func score(of trajectory: Trajectory) -> [Double] { scoreMean([trajectory], [steps { _ in 1 }]) }

  /// Returns a number for each step. In code, t = 0..<T; in the equations, t = 1…T.
  func steps(_ number: (_ t: Int) -> Double) -> [Double] { (0..<horizon).map(number) }

  /// r(τ) = Σ γ^{t−1} r_t
  func totalReward(_ trajectory: Trajectory) -> Double { dot(discounts, trajectory.rewards) }

  /// Σ_{t′≥t} γ^{t′−t} r_t′, `[T]`: the reward to go, discounted relative to step t.
  func rewardsToGo(_ trajectory: Trajectory) -> [Double] {
    var rewards = trajectory.rewards
    for t in (0..<horizon - 1).reversed() { rewards[t] += process.discount * rewards[t + 1] }
    return rewards
  }

  /// V_t(s_t) for t = 1…T + 1. The last one is zero.
  func stateValues(_ trajectory: Trajectory, _ values: [Values]) -> [Double] {
    steps { values[$0].v[trajectory.states[$0]] } + [0]
  }

  /// π(a_t|s_t) / π_b(a_t|s_t), `[T]`
  func ratios(_ trajectory: Trajectory) -> [Double] {
    steps { t in
      let (s, a) = (trajectory.states[t], trajectory.actions[t])
      return policy.probabilities[s][a] / behavior[s][a]
    }
  }
}

extension Matrix {
  /// M + ζ1
  func damped(by amount: Double) -> Matrix {
    var matrix = self
    for i in 0..<rows { matrix[i, i] += amount }
    return matrix
  }
}
