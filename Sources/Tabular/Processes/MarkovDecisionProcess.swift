import Core

/// A Markov decision process with finitely many states and actions, notes 1.2.2, small enough for exact solutions.
public struct MarkovDecisionProcess: Sendable, Hashable {
  /// p(s′|s, a), `[S, A, S]`. (The notes put s′ first: Tᵢⱼₖ = p(s′ = i|s = j, a = k).)
  public let transitions: [[[Double]]]
  /// r(s, a), `[S, A]`
  public let rewards: [[Double]]
  /// γ, from 0 to 1. With 1, values are finite only for a finite horizon.
  public let discount: Double
  /// p(s₁), `[S]`
  public let start: [Double]
  public let stateNames: [String]
  public let actionNames: [String]

  public var stateCount: Int { transitions.count }
  public var actionCount: Int { rewards[0].count }

  /// - Parameters:
  ///   - stateNames: The names of the states. If empty, `s0`, `s1`, ….
  ///   - actionNames: The names of the actions. If empty, `a0`, `a1`, ….
  /// - Throws: `InputError` that names the part that is not a distribution, not finite, or of the wrong size.
  public init(
    transitions: [[[Double]]], rewards: [[Double]], discount: Double, start: [Double], stateNames: [String] = [],
    actionNames: [String] = []
  ) throws {
    let (states, actions) = (transitions.count, transitions.first?.count ?? 0)
    guard states > 0, actions > 0 else { throw InputError("a problem needs at least one state and one action") }
    guard (0...1).contains(discount) else { throw InputError("the discount must be from 0 to 1, not \(discount)") }
    guard rewards.count == states else {
      throw InputError("the rewards must be a row for each of \(states) states, not \(rewards.count)")
    }
    for (s, row) in rewards.enumerated() {
      guard row.count == actions else {
        throw InputError("the rewards of state \(s) must be a number for each of \(actions) actions, not \(row.count)")
      }
      // Beyond this, squares of returns overflow.
      if let wrong = row.first(where: { !(abs($0) <= 1e100) }) {
        throw InputError("the rewards of state \(s) must be finite and at most 1e100, not \(wrong)")
      }
    }
    self.transitions = try transitions.enumerated().map { s, rows in
      guard rows.count == actions else {
        throw InputError("state \(s) must have transitions for each of \(actions) actions, not \(rows.count)")
      }
      return try rows.enumerated().map { a, row in
        try distribution(row, count: states, name: "the transitions from state \(s) by action \(a)")
      }
    }
    self.rewards = rewards
    self.discount = discount
    self.start = try distribution(start, count: states, name: "the start")
    self.stateNames = try names(stateNames, count: states, prefix: "s", of: "states")
    self.actionNames = try names(actionNames, count: actions, prefix: "a", of: "actions")
  }

  /// Returns the same process with another discount, from 0 to 1.
  public func discounted(by discount: Double) throws -> MarkovDecisionProcess {
    try MarkovDecisionProcess(
      transitions: transitions, rewards: rewards, discount: discount, start: start, stateNames: stateNames,
      actionNames: actionNames)
  }

  // MARK: sampling

  /// Samples `horizon` steps with a policy π(a|s), `[S, A]`.
  public func trajectory(of policy: [[Double]], horizon: Int, using random: inout Random) -> Trajectory {
    var trajectory = Trajectory(states: [random.choice(start)], actions: [], rewards: [])
    for t in 0..<horizon {
      let s = trajectory.states[t]
      let a = random.choice(policy[s])
      trajectory.actions.append(a)
      trajectory.rewards.append(rewards[s][a])
      trajectory.states.append(random.choice(transitions[s][a]))
    }
    return trajectory
  }

  // MARK: under a policy

  /// The chain of states under a policy π(a|s), `[S, A]`: p(s′|s) = Σₐ π(a|s) p(s′|s, a).
  ///
  /// In the notes' μ′ = Σ T μ ξ, the action is independent of the state. A policy's action is not, so ξ is π(a|s) here.
  public func chain(under policy: [[Double]]) throws -> MarkovChain {
    try MarkovChain(
      transitions: transitions.indices.map { s in
        var row = Array(repeating: 0.0, count: stateCount)
        for a in 0..<actionCount {
          for following in row.indices { row[following] += policy[s][a] * transitions[s][a][following] }
        }
        return row
      })
  }

  /// The chain of state-action pairs with index s·A + a: p(s′, a′|s, a) = p(s′|s, a) π(a′|s′), notes (1.2).
  public func stateActionChain(under policy: [[Double]]) throws -> MarkovChain {
    try MarkovChain(
      transitions: (0..<stateCount * actionCount).map { pair in
        (0..<stateCount * actionCount).map { following in
          transitions[pair / actionCount][pair % actionCount][following / actionCount]
            * policy[following / actionCount][following % actionCount]
        }
      })
  }

  /// p(s_t) for t = 1…`horizon`, `[T, S]`.
  public func stateMarginals(under policy: [[Double]], horizon: Int) throws -> [[Double]] {
    let chain = try chain(under: policy)
    var marginals = [start]
    while marginals.count < horizon { marginals.append(chain.step(marginals[marginals.count - 1])) }
    return marginals
  }

  /// p(s_t, a_t) for t = 1…`horizon`, `[T, S, A]`: the distributions of the expectations in (1.4) and (1.16).
  public func stateActionMarginals(under policy: [[Double]], horizon: Int) throws -> [[[Double]]] {
    try stateMarginals(under: policy, horizon: horizon).map { mu in
      mu.indices.map { s in policy[s].map { mu[s] * $0 } }
    }
  }
}

/// The states, actions and rewards of a trajectory in order. There is one state more than actions: the final state.
public struct Trajectory: Sendable, Hashable {
  public var states: [Int]
  public var actions: [Int]
  public var rewards: [Double]

  public var count: Int { actions.count }
}

/// Returns the given names, or default names if none are given.
func names(_ given: [String], count: Int, prefix: String, of what: String) throws -> [String] {
  guard !given.isEmpty else { return (0..<count).map { "\(prefix)\($0)" } }
  guard given.count == count else { throw InputError("there are \(given.count) names for \(count) \(what)") }
  guard Set(given).count == count else { throw InputError("the names of the \(what) must be unique") }
  return given
}
