import Core
import Tensors

/// Returns weights whose rows, or columns if there are fewer of them, are orthogonal and of length `gain` (Saxe 2014).
/// They are drawn uniformly from all such matrices.
///
/// - Parameter shape: `[O, ...]`. The axes after the first are treated as one.
public func orthogonal(_ shape: Shape, gain: Double = 1, using random: inout Random) -> Tensor {
  precondition(shape.rank >= 2, "orthogonal weights need at least 2 axes, not the shape \(shape)")
  let rows = shape[0]
  let columns = rows == 0 ? 0 : shape.count / rows
  // The Gram-Schmidt vectors are the rows, or the columns of a tall matrix.
  let (vectors, size) = (min(rows, columns), max(rows, columns))
  var basis = (0..<vectors * size).map { _ in random.normal() }
  unsafe basis.withUnsafeMutableBufferPointer { unsafe orthonormalize($0, vectors: vectors, size: size) }
  return Tensor(shape, of: Float.self) { weight in
    for row in 0..<rows {
      for column in 0..<columns {
        let at = rows <= columns ? row * size + column : column * size + row
        weight[row * columns + column] = Float(gain * basis[at])
      }
    }
  }
}

/// Gram-Schmidt orthogonalisation, done twice (Giraud 2005): a single pass is inaccurate for nearly parallel vectors.
private func orthonormalize(_ basis: UnsafeMutableBufferPointer<Double>, vectors: Int, size: Int) {
  for v in stride(from: 0, to: vectors * size, by: size) {
    for _ in 0..<2 {
      for earlier in stride(from: 0, to: v, by: size) {
        var overlap = 0.0
        for i in 0..<size { unsafe overlap += basis[v + i] * basis[earlier + i] }
        for i in 0..<size { unsafe basis[v + i] -= overlap * basis[earlier + i] }
      }
    }
    var squares = 0.0
    for i in 0..<size { unsafe squares += basis[v + i] * basis[v + i] }
    let scale = 1 / squares.squareRoot()
    for i in 0..<size { unsafe basis[v + i] *= scale }
  }
}

/// Returns elements that are uniform in ±`bound`.
func uniform(_ shape: Shape, bound: Double, using random: inout Random) -> Tensor {
  Tensor(shape, of: Float.self) { weight in
    for i in 0..<weight.count { weight[i] = Float(random.uniform(-bound, bound)) }
  }
}
