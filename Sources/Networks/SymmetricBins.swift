import Tensors

#if canImport(Glibc)
  import Glibc
#else
  import Foundation
#endif

/// Bins for a number of any size, narrow near 0 and wide far from it: symexp of N evenly spaced values, with symexp(x) =
/// sgn(x) (e^|x| - 1) (Hafner et al. 2023, arXiv 2301.04104).
///
/// A network that predicts a number gives logits over the bins, and learns from the cross-entropy with the number's
/// two-hot code.
public struct SymmetricBins: Sendable {
  /// In increasing order, N of them.
  public let values: [Double]

  public init(limit: Double = 10, count: Int = 65) {
    precondition(count >= 2 && limit > 0, "\(count) bins to symexp(\(limit))")
    values = (0..<count).map { i in
      let x = limit * (2 * Double(i) / Double(count - 1) - 1)
      return copysign(exp(abs(x)) - 1, x)
    }
  }

  /// The two-hot codes of numbers: `[B, 1]` to `[B, N]`. Only the two nearest bins are not 0; their mean, weighted by the
  /// code, is the number. Numbers beyond the last bin are clipped.
  public func encoded(_ numbers: Tensor) -> Tensor {
    let n = values.count
    return Tensor([numbers.shape[0], n], of: Float.self) { target in
      for i in 0..<target.count { target[i] = 0 }
      for (row, number) in numbers.doubles.enumerated() {
        let x = min(max(number, values[0]), values[n - 1])
        let above = values.firstIndex { $0 >= x } ?? n - 1
        let below = max(above - 1, 0)
        let share = above == below ? 0 : (x - values[below]) / (values[above] - values[below])
        target[row * n + below] += Float(1 - share)
        target[row * n + above] += Float(share)
      }
    }
  }

  /// -Σ y log softmax(logits) with y the code of a number: `[B, N]` and `[B, 1]` to `[B, 1]`.
  public func crossEntropy(_ logits: Tensor, with numbers: Tensor) -> Tensor {
    -(encoded(numbers) * logSoftmax(logits)).sum(axis: -1, keepingAxis: true)
  }

  /// Σ bin softmax(logits): `[B, N]` to `[B, 1]`.
  public func expectation(of logits: Tensor) -> Tensor {
    (softmax(logits) * Tensor(values.map(Float.init), [values.count])).sum(axis: -1, keepingAxis: true)
  }

  /// symexp(Σ symlog(bin) softmax(logits)): `[B, N]` to `[B, 1]`. Between two bins it is less exact than the
  /// expectation, but a small probability of a far bin changes it little.
  public func center(of logits: Tensor) -> Tensor {
    let exponents = Tensor(values.map { Float(copysign(log(1 + abs($0)), $0)) }, [values.count])
    let x = (softmax(logits) * exponents).sum(axis: -1, keepingAxis: true)
    return exp(relu(x)) - exp(relu(-x))
  }
}
