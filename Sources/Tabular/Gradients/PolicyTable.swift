/// The tabulated probabilities and scores of a policy at one θ, from which gradients are computed.
///
/// An estimator that weights scores, ĝ = Σ w(s, a) ∇log π(a|s), first sums its weights over the samples and then sums
/// the scores once.
public struct PolicyTable: Sendable {
  /// π(a|s), `[S, A]`
  public let probabilities: [[Double]]
  public let parameterCount: Int
  /// ∇log π(a|s), `[S, A, P]`, flattened.
  private let scores: [Double]

  public var stateCount: Int { probabilities.count }
  public var actionCount: Int { probabilities[0].count }

  public init(_ policy: some ParametricPolicy) {
    self.init(probabilities: policy.probabilities, scores: policy.scores)
  }

  /// - Parameter scores: `[S, A, P]`
  public init(probabilities: [[Double]], scores: [[[Double]]]) {
    self.probabilities = probabilities
    parameterCount = scores.first?.first?.count ?? 0
    self.scores = scores.flatMap { $0.flatMap { $0 } }
    precondition(
      parameterCount > 0 && self.scores.count == probabilities.count * probabilities[0].count * parameterCount,
      "scores must be [S, A, P], with the states and actions of the probabilities")
  }

  /// ∇log π(a|s), `[P]`
  public func score(_ s: Int, _ a: Int) -> ArraySlice<Double> {
    let start = (s * actionCount + a) * parameterCount
    return scores[start..<start + parameterCount]
  }

  /// Σ w(s, a) ∇log π(a|s), `[P]`
  public func gradient(_ weights: Weights) -> [Double] {
    var gradient = Array(repeating: 0.0, count: parameterCount)
    for (pair, w) in weights.values.enumerated() where w != 0 {
      let start = pair * parameterCount
      for k in 0..<parameterCount { gradient[k] += w * scores[start + k] }
    }
    return gradient
  }

  /// Σ w(s, a) ∇log π(a|s) ∇log π(a|s)ᵀ, `[P, P]`
  public func outerProducts(_ weights: Weights) -> Matrix {
    var matrix = Matrix(rows: parameterCount, columns: parameterCount)
    for (pair, w) in weights.values.enumerated() where w != 0 {
      let start = pair * parameterCount
      for i in 0..<parameterCount where scores[start + i] != 0 {
        let factor = w * scores[start + i]
        for j in 0..<parameterCount { matrix[i, j] += factor * scores[start + j] }
      }
    }
    return matrix
  }
}

/// A weight w(s, a) for each state and action.
public struct Weights: Sendable, Hashable {
  fileprivate var values: [Double]
  private let actionCount: Int

  public init(for policy: PolicyTable) {
    actionCount = policy.actionCount
    values = Array(repeating: 0, count: policy.stateCount * policy.actionCount)
  }

  public subscript(s: Int, a: Int) -> Double {
    get { values[s * actionCount + a] }
    set { values[s * actionCount + a] = newValue }
  }
}
