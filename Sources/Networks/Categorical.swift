import Core
import Tensors

/// Categorical distributions over C choices with given logits, one per row: `[B, C]`.
public struct Categorical: Sendable {
  /// Logarithms of the probabilities, `[B, C]`.
  public let logProbabilities: Tensor

  /// - Parameter logits: `[B, C]`, finite. Adding a constant to a row changes nothing.
  public init(logits: Tensor) {
    precondition(logits.shape.rank == 2 && logits.shape[1] > 0, "logits must be [B, C], not \(logits.shape)")
    logProbabilities = logSoftmax(logits)
  }

  /// `[B, C]`
  public var probabilities: Tensor { exp(logProbabilities) }

  /// Draws one choice per row.
  public func sample(using random: inout Random) -> [Int] {
    let choices = logProbabilities.shape[1]
    let p = probabilities.detached.doubles
    return (0..<logProbabilities.shape[0]).map { row in
      // The first choice whose cumulative probability exceeds a uniform number; the last if rounding leaves none.
      var rest = random.uniform()
      for choice in 0..<choices {
        rest -= p[row * choices + choice]
        if rest < 0 { return choice }
      }
      return choices - 1
    }
  }

  /// The most probable choice of each row, `[B, 1]`; the first if several are equal.
  public var mode: Tensor { logProbabilities.indexOfLargest() }

  /// log p of one choice per row: `[B, 1]`.
  public func logProbability(of choices: [Int]) -> Tensor { logProbabilities.picking(choices) }

  /// -Σ p log p over C: `[B, 1]`.
  public var entropy: Tensor { -(probabilities * logProbabilities).sum(axis: -1, keepingAxis: true) }
}
