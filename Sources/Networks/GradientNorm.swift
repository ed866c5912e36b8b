import Tensors

extension Gradient {
  /// The Euclidean norm of all elements together. A parameter without a gradient counts as zero.
  public var norm: Double {
    tensors.reduce(0) { $0 + ($1.map(squares) ?? 0) }.squareRoot()
  }

  /// Returns the gradient scaled to a norm of at most `limit` (Pascanu 2013).
  ///
  /// Clipping cannot repair a gradient that is not finite: check `isFinite` first.
  public func clipped(toNorm limit: Double) -> Gradient {
    precondition(limit > 0, "the norm limit of a gradient must be positive, not \(limit)")
    let norm = norm
    guard norm > limit else { return self }
    var clipped = self
    clipped.tensors = tensors.map { $0.map { $0 * (limit / norm) } }
    return clipped
  }

  /// Scales the gradient in place to a norm of at most `limit`.
  public mutating func clip(toNorm limit: Double) { self = clipped(toNorm: limit) }

  /// Whether no element is NaN or infinite.
  public var isFinite: Bool { tensors.allSatisfy { $0?.isFinite ?? true } }
}

private func squares(_ tensor: Tensor) -> Double {
  guard tensor.precision == .float32 else { return tensor.doubles.reduce(0) { $0 + $1 * $1 } }
  return tensor.withElements { x in
    // The lanes are double, so that squares of large gradients do not overflow.
    var lanes = SIMD8<Double>(repeating: 0)
    var i = 0
    while i + 8 <= x.count {
      let v = SIMD8<Double>(
        Double(x[i]), Double(x[i + 1]), Double(x[i + 2]), Double(x[i + 3]),
        Double(x[i + 4]), Double(x[i + 5]), Double(x[i + 6]), Double(x[i + 7]))
      lanes += v * v
      i += 8
    }
    var total = lanes.sum()
    while i < x.count {
      total += Double(x[i]) * Double(x[i])
      i += 1
    }
    return total
  }
}
