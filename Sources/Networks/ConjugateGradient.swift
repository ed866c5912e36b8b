/// Solves A x = b for a symmetric positive definite A that is given by its products A v (Hestenes and Stiefel 1952).
///
/// - Parameters:
///   - iterations: the maximum number of products A v.
///   - tolerance: stops once |b − A x| is at most this fraction of |b|.
/// - Returns: the best x found. Stops at a direction in which vᵀ A v is not positive.
public func conjugateGradient(
  _ b: [Double], iterations: Int, tolerance: Double = 1e-8, product: ([Double]) -> [Double]
) -> [Double] {
  var x = [Double](repeating: 0, count: b.count)
  var (residual, direction) = (b, b)
  var squared = dot(residual, residual)
  let end = squared * tolerance * tolerance
  for _ in 0..<iterations where squared > end {
    let image = product(direction)
    let curvature = dot(direction, image)
    guard curvature > 0 else { break }
    let length = squared / curvature
    x = sum(x, length, times: direction)
    residual = sum(residual, -length, times: image)
    let next = dot(residual, residual)
    direction = sum(residual, next / squared, times: direction)
    squared = next
  }
  return x
}
