import Core

/// An optimal policy, or one as good as asked for, and how it was approached.
public struct Solution: Sendable, Hashable {
  /// The action of each state, `[S]`.
  public let policy: [Int]
  /// V of the last sweep, `[S]`.
  public let values: [Double]
  /// V after each sweep, the start first: `[K + 1, S]`.
  public let history: [[Double]]
  /// How far the values can be from V* at most, by the last change: ‖V_K − V*‖∞ ≤ γ/(1−γ) ‖V_K − V_{K−1}‖∞.
  public let bound: Double

  public var sweeps: Int { history.count - 1 }
}

/// Notes 1.5: what becomes of a problem whose transitions are known. All need a discount below 1.
extension MarkovDecisionProcess {
  /// argmaxₐ Q(s, a), the first of equal ones, notes (1.112) and (1.115): the same for A as for Q. `[S]`
  public func greedy(_ q: [[Double]]) -> [Int] {
    q.map { row in row.indices.reduce(0) { row[$1] > row[$0] ? $1 : $0 } }
  }

  /// A deterministic policy as a table of probabilities, `[S, A]`.
  public func table(of policy: [Int]) -> [[Double]] {
    policy.map { action in (0..<actionCount).map { $0 == action ? 1 : 0 } }
  }

  /// Policy iteration, notes 1.5.1 (Howard 1960): evaluate Aᵖ exactly, then π ← argmax A, until nothing improves.
  ///
  /// The history holds V of every policy on the way; none is worse than the one before in any state.
  public func policyIteration(from first: [Int]? = nil) throws -> Solution {
    var policy = first ?? Array(repeating: 0, count: stateCount)
    precondition(policy.count == stateCount, "a policy for \(policy.count) states of \(stateCount)")
    var values = try values(of: table(of: policy))
    var history = [values.v]
    var seen: Set<[Int]> = []
    while seen.insert(policy).inserted {
      let advantages = values.advantages
      // An action takes over only where it gains more than rounding: two equal ones would change places for ever.
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

  /// Policy iteration with dynamic programming: the policy is evaluated by `sweeps` sweeps of notes (1.113),
  /// V(s) ← r(s, π(s)) + γ E[V(s′)], and then made greedy (modified policy iteration, Puterman and Shin 1978).
  ///
  /// One sweep is value iteration, ever more are policy iteration.
  /// - Parameter tolerance: how far from V* the values may be; the history holds V after every sweep.
  public func policyIteration(sweeps: Int, tolerance: Double = 1e-9) throws -> Solution {
    precondition(sweeps > 0, "a policy is evaluated by at least one sweep, not \(sweeps)")
    try checkDiscount()
    var history = [Array(repeating: 0.0, count: stateCount)]
    while true {
      var v = history[history.count - 1]
      let policy = greedy(backup(v))
      for sweep in 0..<sweeps {
        let q = backup(v)
        let next = policy.indices.map { q[$0][policy[$0]] }
        history.append(next)
        // The first sweep takes the maximum over actions, so that its change bounds the distance from V*.
        if sweep == 0, let solution = solution(history, tolerance) { return solution }
        v = next
      }
    }
  }

  /// Value iteration, notes 1.5: Q(s, a) ← r(s, a) + γ E[V(s′)], V(s) ← maxₐ Q(s, a).
  ///
  /// A γ-contraction in the largest norm: ‖V_k − V*‖ ≤ γᵏ ‖V₀ − V*‖.
  /// - Parameter tolerance: how far from V* the values may be.
  public func valueIteration(tolerance: Double = 1e-9) throws -> Solution {
    try checkDiscount()
    var history = [Array(repeating: 0.0, count: stateCount)]
    while true {
      let q = backup(history[history.count - 1])
      history.append(q.map { $0.max() ?? 0 })
      if let solution = solution(history, tolerance) { return solution }
    }
  }

  /// Q iteration: Q(s, a) ← r(s, a) + γ E[maxₐ′ Q(s′, a′)], which never asks for V by itself.
  ///
  /// - Parameter tolerance: how far from Q* the values may be.
  /// - Returns: Q, `[S, A]`, and the largest change of each sweep, which falls by γ or more.
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

  /// The last values as a solution, if they are close enough to V*.
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

  /// γ/(1−γ) times the last change bounds the distance from the fixed point; below rounding nothing gets closer.
  private func isClose(change: Double, _ values: [Double], _ tolerance: Double) -> Bool {
    let bound = discount / (1 - discount) * change
    return bound <= tolerance || change <= 4 * Double.ulpOfOne * (values.map(abs).max() ?? 0)
  }
}
