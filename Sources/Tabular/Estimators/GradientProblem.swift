import Core

/// A decision process, a policy and a horizon: the gradient to be estimated, and all that estimators may be given.
///
/// The objective is J = E Σ_{t≤T} γ^{t−1} r_t with the discount of the process; 1 is the notes' J before (1.91). Critics
/// know the time: Q_t and V_t have T − t + 1 rewards to come, and V_{T+1} = 0.
public struct GradientProblem: Sendable {
  public let process: MarkovDecisionProcess
  /// π, whose gradient is sought.
  public let policy: PolicyTable
  /// What gathers the samples of off-policy estimators, `[S, A]`: one half π, one half another policy.
  public let behavior: [[Double]]
  public let horizon: Int
  /// γ^{t−1}, `[T]`
  public let discounts: [Double]
  /// Q_t and V_t of π, `[T]`.
  public let exact: [Values]
  /// What a learned critic might say of π: Q_t with a fixed error in every state and action, and the V_t of that. `[T]`
  public let critic: [Values]
  /// p(s_t) under π and under the behavior, `[T, S]`.
  public let marginals: [[Double]]
  public let behaviorMarginals: [[Double]]
  /// ∇J, `[P]`
  public let gradient: [Double]
  /// F + ζ1, the Fisher matrix with damping: that of a tabular softmax policy is singular.
  public let fisher: Matrix
  /// (F + ζ1)⁻¹ ∇J, `[P]`
  public let naturalGradient: [Double]
  /// E[g² R] / E[g²] of each parameter, the corrected notes (1.41), and the variance with it of one trajectory.
  public let optimalBaseline: [Double]
  /// Tr Var of one trajectory's (1.25), computed without a sample.
  public let reinforceVariance: Double

  static let damping = 0.01
  /// States times actions that a table of scores is still made for.
  public static let mostPairs = 1000
  /// Products of so many importance ratios, and their squares, are still numbers.
  static let longestHorizon = 200

  /// - Parameters:
  ///   - behavior: what gathers off-policy samples, `[S, A]`; half π and half another policy if none is given.
  ///   - horizon: T, from 1 to 200.
  ///   - criticError: the deviation of the critic's error, in deviations of Q₁ over states and actions.
  /// - Throws: `InputError` where the horizon is out of range, or the gradient zero: there is nothing to estimate then.
  public init(
    _ process: MarkovDecisionProcess, policy: PolicyTable, behavior given: [[Double]]? = nil, horizon: Int,
    criticError: Double = 0.5, seed: Seed
  ) throws {
    precondition(criticError >= 0, "a critic's error of \(criticError)")
    guard (1...Self.longestHorizon).contains(horizon) else {
      throw InputError("a horizon is a whole number from 1 to \(Self.longestHorizon), not \(horizon)")
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
        "the gradient of this policy is zero: give a problem whose actions differ, or a longer --horizon")
    }
    fisher = try process.fisherMatrix(of: policy, horizon: horizon).damped(by: Self.damping)
    guard let natural = fisher.solution(of: gradient) else {
      throw InputError("the Fisher matrix of this policy cannot be solved: give another --seed")
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

// MARK: - What estimators are written with

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

  /// A number for each step, t = 0..<T in code where the equations have 1…T.
  func steps(_ number: (_ t: Int) -> Double) -> [Double] { (0..<horizon).map(number) }

  /// r(τ) = Σ γ^{t−1} r_t
  func totalReward(_ trajectory: Trajectory) -> Double { dot(discounts, trajectory.rewards) }

  /// Σ_{t′≥t} γ^{t′−t} r_t′, `[T]`: the reward to go as step t values it.
  func rewardsToGo(_ trajectory: Trajectory) -> [Double] {
    var rewards = trajectory.rewards
    for t in (0..<horizon - 1).reversed() { rewards[t] += process.discount * rewards[t + 1] }
    return rewards
  }

  /// V_t(s_t) for t = 1…T + 1, the last being zero.
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
