import Core

/// An optimal or nearly optimal policy, with the history of its computation.
public struct Solution: Sendable, Hashable {
  /// The action of each state, `[S]`.
  public let policy: [Int]
  /// V of the last sweep, `[S]`.
  public let values: [Double]
  /// V before the first sweep and after each sweep: `[K + 1, S]`.
  public let history: [[Double]]
  /// The upper bound of the distance to V*, from the last change: ‖V_K − V*‖∞ ≤ γ/(1−γ) ‖V_K − V_{K−1}‖∞.
  public let bound: Double

  public var sweeps: Int { history.count - 1 }
}

/// Notes 1.5: dynamic programming with known transitions. All methods need a discount below 1.
extension MarkovDecisionProcess {
  /// argmaxₐ Q(s, a), the first one in case of ties, notes (1.112) and (1.115). A gives the same result as Q. `[S]`
  public func greedy(_ q: [[Double]]) -> [Int] {
    q.map { row in row.indices.reduce(0) { row[$1] > row[$0] ? $1 : $0 } }
  }

  /// Returns a deterministic policy as a table of probabilities, `[S, A]`.
  public func table(of policy: [Int]) -> [[Double]] {
    policy.map { action in (0..<actionCount).map { $0 == action ? 1 : 0 } }
  }

  /// Policy iteration, notes 1.5.1 (Howard 1960): evaluate Aᵖ exactly, then π ← argmax A, until nothing improves.
  ///
  /// The history has V of every intermediate policy. None is worse than the one before in any state.
  public func policyIteration(from first: [Int]? = nil) throws -> Solution {
    var policy = first ?? Array(repeating: 0, count: stateCount)
    precondition(policy.count == stateCount, "a policy for \(policy.count) states of \(stateCount)")
    var values = try values(of: table(of: policy))
    var history = [values.v]
    var seen: Set<[Int]> = []
    while seen.insert(policy).inserted {
      let advantages = values.advantages
      // An action is replaced only if the gain exceeds rounding errors. Otherwise two equal actions would alternate
      // forever.
      let gain = 1e-12 * (1 + (values.v.map(abs).max() ?? 0))
      let greedy = greedy(advantages)
      let better = policy.indices.map { s in
        let best = greedy[s]
        return advantages[s][best] > advantages[s][policy[s]] + gain ? best : policy[s]
      }
      if better == policy { break }
      policy = better
      values = try self.values(of: table(of: policy))
      history.append(values.v)
    }
    return Solution(policy: policy, values: values.v, history: history, bound: 0)
  }

  /// Policy iteration with dynamic programming: the policy is evaluated with `sweeps` sweeps of notes (1.113), V(s) ←
  /// r(s, π(s)) + γ E[V(s′)], and then made greedy (modified policy iteration, Puterman and Shin 1978).
  ///
  /// One sweep is value iteration. With an increasing number of sweeps, it approaches policy iteration. The history has
  /// V after every sweep.
  /// - Parameter tolerance: The maximum distance of the values from V*.
  public func policyIteration(sweeps: Int, tolerance: Double = 1e-9) throws -> Solution {
    precondition(sweeps > 0, "a policy needs at least one sweep, not \(sweeps)")
    try checkDiscount()
    var history = [Array(repeating: 0.0, count: stateCount)]
    while true {
      var v = history[history.count - 1]
      let policy = greedy(backup(v))
      for sweep in 0..<sweeps {
        let q = backup(v)
        let next = policy.indices.map { q[$0][policy[$0]] }
        history.append(next)
        // The first sweep takes the maximum over actions, so its change bounds the distance to V*.
        if sweep == 0, let solution = solution(history, tolerance) { return solution }
        v = next
      }
    }
  }

  /// Value iteration, notes 1.5: Q(s, a) ← r(s, a) + γ E[V(s′)], V(s) ← maxₐ Q(s, a).
  ///
  /// A γ-contraction in the maximum norm: ‖V_k − V*‖ ≤ γᵏ ‖V₀ − V*‖.
  /// - Parameter tolerance: The maximum distance of the values from V*.
  public func valueIteration(tolerance: Double = 1e-9) throws -> Solution {
    try checkDiscount()
    var history = [Array(repeating: 0.0, count: stateCount)]
    while true {
      let q = backup(history[history.count - 1])
      history.append(q.map { $0.max() ?? 0 })
      if let solution = solution(history, tolerance) { return solution }
    }
  }

  /// Q iteration: Q(s, a) ← r(s, a) + γ E[maxₐ′ Q(s′, a′)], without computing V.
  ///
  /// - Parameter tolerance: The maximum distance of the values from Q*.
  /// - Returns: Q, `[S, A]`, and the largest change of each sweep, which decreases at least by the factor γ.
  public func qIteration(tolerance: Double = 1e-9) throws -> (q: [[Double]], changes: [Double]) {
    try checkDiscount()
    var q = Array(repeating: Array(repeating: 0.0, count: actionCount), count: stateCount)
    var changes: [Double] = []
    repeat {
      let next = backup(q.map { $0.max() ?? 0 })
      changes.append(largestDifference(next.flatMap { $0 }, q.flatMap { $0 }))
      q = next
    } while !isClose(change: changes[changes.count - 1], q.flatMap { $0 }, tolerance)
    return (q, changes)
  }

  /// Returns the last values as a solution if they are close enough to V*, else nil.
  private func solution(_ history: [[Double]], _ tolerance: Double) -> Solution? {
    let v = history[history.count - 1]
    let change = largestDifference(v, history[history.count - 2])
    guard isClose(change: change, v, tolerance) else { return nil }
    return Solution(
      policy: greedy(backup(v)), values: v, history: history, bound: discount / (1 - discount) * change)
  }

  private func checkDiscount() throws {
    guard discount < 1 else {
      throw InputError("dynamic programming without a horizon needs a discount below 1, not \(discount)")
    }
  }

  /// γ/(1−γ) times the last change bounds the distance to the fixed point. Changes at the level of rounding errors are
  /// also accepted.
  private func isClose(change: Double, _ values: [Double], _ tolerance: Double) -> Bool {
    let bound = discount / (1 - discount) * change
    return bound <= tolerance || change <= 4 * Double.ulpOfOne * (values.map(abs).max() ?? 0)
  }
}
