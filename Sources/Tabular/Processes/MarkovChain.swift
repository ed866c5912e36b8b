import Core

/// A Markov chain, notes 1.2.1: the distribution of the next state depends only on the current one.
public struct MarkovChain: Sendable, Hashable {
  /// p(s′|s), `[S, S]`: a row is the distribution of the state after s.
  public let transitions: [[Double]]

  public var stateCount: Int { transitions.count }

  /// - Throws: `InputError` that names the row that is not a distribution.
  public init(transitions: [[Double]]) throws {
    guard !transitions.isEmpty else { throw InputError("a Markov chain needs at least one state") }
    self.transitions = try transitions.enumerated().map { state, row in
      try distribution(row, count: transitions.count, name: "the transitions from state \(state)")
    }
  }

  /// The distribution one step later: μ′ = Tᵀμ, with T as above. (The notes write μ′ = Tμ, with T transposed.)
  public func step(_ mu: [Double]) -> [Double] {
    precondition(mu.count == stateCount, "a distribution over \(mu.count) states for a chain of \(stateCount)")
    var next = Array(repeating: 0.0, count: stateCount)
    for (state, p) in mu.enumerated() where p > 0 {
      for following in next.indices { next[following] += p * transitions[state][following] }
    }
    return next
  }

  /// Returns the distribution after `steps` steps.
  public func marginal(after steps: Int, from start: [Double]) -> [Double] {
    (0..<steps).reduce(start) { mu, _ in step(mu) }
  }

  /// Samples a path of `steps` + 1 states, including the start.
  public func path(from state: Int, steps: Int, using random: inout Random) -> [Int] {
    var path = [state]
    for _ in 0..<steps { path.append(random.choice(transitions[path[path.count - 1]])) }
    return path
  }

  // MARK: ergodicity

  /// A pair of states with no path from the first to the second. Nil if every state can be reached from every other.
  public var unreachable: (from: Int, to: Int)? {
    // Everything is reachable from everything if state 0 reaches all and all reach state 0.
    if let state = levels(from: 0, forwards: true).firstIndex(of: nil) { return (0, state) }
    if let state = levels(from: 0, forwards: false).firstIndex(of: nil) { return (state, 0) }
    return nil
  }

  public var isIrreducible: Bool { unreachable == nil }

  /// The greatest common divisor of the lengths of all paths from a state back to itself. A period of 1 is aperiodic.
  ///
  /// For an irreducible chain it is gcd over edges s→s′ of level(s) + 1 − level(s′), where the levels are the distances
  /// from any one state (Jarvis and Shier 1999). Nil if the chain is not irreducible, since its states may have
  /// different periods.
  public var period: Int? {
    guard isIrreducible else { return nil }
    let levels = levels(from: 0, forwards: true).compactMap { $0 }
    var period = 0
    for (state, row) in transitions.enumerated() {
      for (following, p) in row.enumerated() where p > 0 {
        period = greatestCommonDivisor(period, abs(levels[state] + 1 - levels[following]))
      }
    }
    return period
  }

  /// Returns the distances of all states from (or to) a state, nil if there is no path.
  private func levels(from origin: Int, forwards: Bool) -> [Int?] {
    var levels = [Int?](repeating: nil, count: stateCount)
    levels[origin] = 0
    var (frontier, distance) = ([origin], 0)
    while !frontier.isEmpty {
      distance += 1
      var next: [Int] = []
      for state in frontier {
        for other in 0..<stateCount where levels[other] == nil {
          guard (forwards ? transitions[state][other] : transitions[other][state]) > 0 else { continue }
          levels[other] = distance
          next.append(other)
        }
      }
      frontier = next
    }
    return levels
  }

  /// The unique distribution with μ = Tᵀμ, to which the marginals of an ergodic chain converge from every start.
  ///
  /// (Tᵀ − I)μ = 0 has rank S − 1. Σμ = 1 replaces its last row.
  /// - Throws: `InputError` with the reason if the chain is not ergodic: some state cannot be reached from another, or
  ///   the chain is periodic.
  public func stationaryDistribution() throws -> [Double] {
    if let (from, to) = unreachable {
      throw InputError(
        "the chain is not ergodic: there is no path from state \(from) to state \(to), so its distribution depends on "
          + "the start")
    }
    if let period, period != 1 {
      throw InputError(
        "the chain is not ergodic: every path back to a state takes a multiple of \(period) steps, so its distribution "
          + "does not converge")
    }
    var system = Matrix(transitions).transposed
    for i in 0..<stateCount { system[i, i] -= 1 }
    for j in 0..<stateCount { system[stateCount - 1, j] = 1 }
    let right = (0..<stateCount).map { $0 == stateCount - 1 ? 1.0 : 0 }
    guard let mu = system.solution(of: right) else {
      throw InputError("the chain is too close to a reducible one to compute its stationary distribution")
    }
    return mu
  }
}

private func greatestCommonDivisor(_ a: Int, _ b: Int) -> Int { b == 0 ? a : greatestCommonDivisor(b, a % b) }

/// Checks that numbers are a distribution, and returns them scaled to the sum 1 up to rounding.
///
/// - Throws: `InputError` if there are not `count` numbers, if one is not from 0 to 1, or if the sum is not 1 within
///   1e-6.
func distribution(_ numbers: [Double], count: Int, name: String) throws -> [Double] {
  guard numbers.count == count else { throw InputError("\(name) must be \(count) numbers, not \(numbers.count)") }
  // Rounding can make a probability slightly larger than 1.
  if let wrong = numbers.first(where: { !(0...1 + 1e-9).contains($0) }) {
    throw InputError("\(name) must be probabilities from 0 to 1, not \(wrong)")
  }
  let sum = numbers.reduce(0, +)
  guard abs(sum - 1) <= 1e-6 else { throw InputError("\(name) must add up to 1, not \(sum)") }
  return numbers.map { $0 / sum }
}

extension Random {
  /// Draws an index with the given probabilities.
  mutating func choice(_ probabilities: [Double]) -> Int {
    // If rounding leaves a rest, return the last index with a positive probability.
    var (rest, last) = (uniform(), 0)
    for (index, p) in probabilities.enumerated() where p > 0 {
      rest -= p
      last = index
      if rest < 0 { break }
    }
    return last
  }
}
