import Core

/// A partially observed process, notes 1.2.3: its states are observed only through emissions.
public struct PartiallyObservedProcess: Sendable, Hashable {
  public let process: MarkovDecisionProcess
  /// p(o|s), `[S, O]`
  public let emissions: [[Double]]
  public let observationNames: [String]

  public var observationCount: Int { emissions[0].count }

  /// - Throws: `InputError` that names the row that is not a distribution.
  public init(process: MarkovDecisionProcess, emissions: [[Double]], observationNames: [String] = []) throws {
    guard emissions.count == process.stateCount, let count = emissions.first?.count, count > 0 else {
      throw InputError("the emissions must be a row for each of \(process.stateCount) states, not \(emissions.count)")
    }
    self.process = process
    self.emissions = try emissions.enumerated().map { s, row in
      try distribution(row, count: count, name: "the emissions of state \(s)")
    }
    self.observationNames = try names(observationNames, count: count, prefix: "o", of: "observations")
  }

  public func observation(of state: Int, using random: inout Random) -> Int { random.choice(emissions[state]) }

  /// The belief before the first action: p(s₁|o₁) ∝ p(o₁|s₁) p(s₁).
  ///
  /// - Returns: `[S]`, or nil if the observation is impossible.
  public func belief(after observation: Int) -> [Double]? { corrected(process.start, by: observation) }

  /// The belief filter: p(s′|o₁, a₁, …, o′) ∝ p(o′|s′) Σₛ p(s′|s, a) b(s).
  ///
  /// - Returns: `[S]`, or nil if the observation is impossible under the belief.
  public func belief(_ b: [Double], after action: Int, observing observation: Int) -> [Double]? {
    precondition(b.count == process.stateCount, "a belief over \(b.count) states of \(process.stateCount)")
    return corrected(predicted(b, after: action), by: observation)
  }

  /// p(o′|b, a), `[O]`: the distribution of the next observation.
  public func observationProbabilities(_ b: [Double], after action: Int) -> [Double] {
    let predicted = predicted(b, after: action)
    return (0..<observationCount).map { o in dot(predicted, emissions.map { $0[o] }) }
  }

  private func predicted(_ b: [Double], after action: Int) -> [Double] {
    var next = Array(repeating: 0.0, count: b.count)
    for s in b.indices where b[s] > 0 {
      for following in next.indices { next[following] += b[s] * process.transitions[s][action][following] }
    }
    return next
  }

  private func corrected(_ belief: [Double], by observation: Int) -> [Double]? {
    let weighted = belief.indices.map { belief[$0] * emissions[$0][observation] }
    let total = weighted.reduce(0, +)
    return total > 0 ? weighted.map { $0 / total } : nil
  }
}
