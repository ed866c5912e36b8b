import Core
import Tensors

/// The principal components of the rows of a matrix, computed by power iteration on their covariance, with the
/// components that were already found removed (deflation).
public struct PrincipalComponents: Sendable {
  /// The mean of the rows, Z values.
  public let mean: [Double]
  /// Orthogonal unit vectors of Z values, that of the largest variance first. The largest component of each, by
  /// magnitude, is positive.
  public let axes: [[Double]]
  /// The variance along each axis.
  public let variances: [Double]
  /// The variance over all directions.
  public let totalVariance: Double

  /// - Parameters:
  ///   - rows: `[N, Z]`, at least one row.
  ///   - count: the number of axes, at most Z.
  public init(of rows: Tensor, count: Int = 2) {
    let (n, size) = (rows.shape[0], rows.shape[1])
    let exact = rows.converted(to: .float64)
    let mean = exact.mean(axis: 0)
    let centered = exact - mean
    let covariance = (matrixProduct(centered.transposed, centered) / Double(n)).doubles  // [Z, Z]
    totalVariance = (0..<size).reduce(0) { $0 + covariance[$1 * size + $1] }
    var random = Seed(0).stream("principal components")
    var (axes, variances) = ([[Double]](), [Double]())
    for _ in 0..<min(count, size) {
      var axis = Self.unit((0..<size).map { _ in random.normal() }, awayFrom: axes)
      var variance = 0.0
      for _ in 0..<2000 {
        let image = (0..<size).map { row in
          (0..<size).reduce(0) { $0 + covariance[row * size + $1] * axis[$1] }
        }
        variance = Self.product(axis, image)
        guard variance > 1e-12 * max(totalVariance, 1e-300) else { break }
        let next = Self.unit(image, awayFrom: axes)
        let change = zip(next, axis).reduce(0) { max($0, abs($1.0 - $1.1)) }
        axis = next
        if change < 1e-12 { break }
      }
      let greatest = axis.max { abs($0) < abs($1) } ?? 1
      axes.append(greatest < 0 ? axis.map { -$0 } : axis)
      variances.append(variance)
    }
    self.mean = mean.doubles
    (self.axes, self.variances) = (axes, variances)
  }

  /// Returns the coordinates of rows `[N, Z]` along each axis, one array per row.
  public func places(of rows: Tensor) -> [[Double]] {
    let (values, size) = (rows.doubles, mean.count)
    return (0..<rows.shape[0]).map { row in
      axes.map { axis in (0..<size).reduce(0) { $0 + (values[row * size + $1] - mean[$1]) * axis[$1] } }
    }
  }

  private static func product(_ a: [Double], _ b: [Double]) -> Double { zip(a, b).reduce(0) { $0 + $1.0 * $1.1 } }

  /// Returns the part of a vector that is orthogonal to `axes`, scaled to length 1.
  private static func unit(_ vector: [Double], awayFrom axes: [[Double]]) -> [Double] {
    var vector = vector
    for axis in axes {
      let share = product(vector, axis)
      for i in vector.indices { vector[i] -= share * axis[i] }
    }
    let length = max(product(vector, vector).squareRoot(), 1e-300)
    return vector.map { $0 / length }
  }
}
