#if canImport(Glibc)
  import Glibc
#else
  import Foundation
#endif

/// log Φ(x) = log(erfc(-x/√2) / 2), with Φ the distribution function of the standard normal distribution.
func logNormalCDF(_ x: Double) -> Double {
  guard x > farTail else { return -x * x / 2 - log(-x * (2 * Double.pi).squareRoot()) + log(millsSeries(x)) }
  // 1 - Φ(x) = Φ(-x) keeps the digits of a probability near 1.
  return x > 0 ? log1p(-erfc(x / 2.0.squareRoot()) / 2) : log(erfc(-x / 2.0.squareRoot()) / 2)
}

/// φ(x) / Φ(x), the derivative of log Φ(x), with φ the density of the standard normal distribution.
func inverseMillsRatio(_ x: Double) -> Double {
  guard x > farTail else { return -x / millsSeries(x) }
  return exp(-x * x / 2) / (2 * Double.pi).squareRoot() / (erfc(-x / 2.0.squareRoot()) / 2)
}

/// Below it Φ is computed by its series, because erfc underflows at x = -38.
private let farTail = -30.0

/// Φ(x) = φ(x) / -x · (1 - 1/x² + 3/x⁴ - 15/x⁶ + …) for x ≪ 0 (Abramowitz and Stegun 1964, 26.2.12). At x = -30 the
/// first term left out is 2e-10.
private func millsSeries(_ x: Double) -> Double {
  let t = 1 / (x * x)
  return 1 - t * (1 - t * (3 - t * 15))
}
