import Core

#if canImport(Glibc)
  import Glibc
#else
  import Foundation
#endif

/// The bias, variance and cost of an estimator, in units of |∇J| and |∇J|².
public struct EstimatorMeasurement: Sendable {
  public let estimator: Estimator
  /// ‖E ĝ − ∇J‖ / ‖∇J‖, corrected for the expected sampling error, not negative.
  public let bias: Double
  /// The 95% confidence interval of the bias. If it includes 0, there is no evidence of a bias.
  public let biasInterval: ClosedRange<Double>
  /// Tr Var ĝ / ‖∇J‖²
  public let variance: Double
  /// The 95% confidence interval of the variance.
  public let varianceInterval: ClosedRange<Double>
  /// The median time of one estimate in microseconds, without sampling.
  public let microseconds: Double

  private let distance: Double
  private let noise: SampleMeanNoise

  /// E‖ĝ − ∇J‖² / ‖∇J‖²
  public var meanSquaredError: Double { bias * bias + variance }

  /// Returns whether the mean is significantly different from the exact gradient. For an unbiased estimator, the
  /// probability of this is `falseAlarm`.
  public func isBiased(falseAlarm: Double) -> Bool {
    // Without noise, an unbiased mean differs from the gradient only by rounding.
    distance > noise.radius(falseAlarm: falseAlarm) + 1e-9
  }

  /// - Parameters:
  ///   - samples: The independent estimates, `[K, P]`, at least two.
  ///   - target: The exact gradient, `[P]`, not zero.
  init(of estimator: Estimator, samples: [[Double]], target: [Double], microseconds: Double) {
    precondition(samples.count > 1, "a variance needs at least two trials, not \(samples.count)")
    (self.estimator, self.microseconds) = (estimator, microseconds)
    let (count, size) = (Double(samples.count), dot(target, target).squareRoot())
    let relative = samples.map { $0.map { $0 / size } }
    var mean = target.map { _ in 0.0 }
    for sample in relative { for k in mean.indices { mean[k] += sample[k] / count } }
    noise = SampleMeanNoise(relative, mean: mean)
    let off = zip(mean, target).map { $0 - $1 / size }
    distance = dot(off, off).squareRoot()
    bias = max(distance * distance - noise.trace / count, 0).squareRoot()
    let radius = noise.radius(falseAlarm: 0.05)
    biasInterval = max(distance - radius, 0)...distance + radius
    variance = noise.trace
    varianceInterval = max(variance - 1.96 * noise.traceError, 0)...variance + 1.96 * noise.traceError
  }
}

/// The sampling error of a mean of samples.
struct SampleMeanNoise: Sendable {
  /// Tr Σ, where Σ is the covariance of one sample.
  let trace: Double
  /// The standard error of Tr Σ.
  let traceError: Double
  /// (Tr Σ)² / Tr Σ²: the effective number of dimensions of the noise.
  let freedom: Double
  private let count: Double

  init(_ samples: [[Double]], mean: [Double]) {
    count = Double(samples.count)
    let size = mean.count
    var covariance = Array(repeating: 0.0, count: size * size)
    var (sum, sumOfSquares) = (0.0, 0.0)
    for sample in samples {
      let off = zip(sample, mean).map { $0 - $1 }
      let square = dot(off, off) * count / (count - 1)
      sum += square
      sumOfSquares += square * square
      for i in 0..<size where off[i] != 0 {
        for j in 0..<size { covariance[i * size + j] += off[i] * off[j] / (count - 1) }
      }
    }
    trace = sum / count
    traceError = max(sumOfSquares / count - trace * trace, 0).squareRoot() / count.squareRoot()
    let squares = dot(covariance, covariance)
    freedom = squares > 0 ? trace * trace / squares : 1
  }

  /// Returns the distance of the mean from the expectation that is exceeded with the probability `falseAlarm`.
  ///
  /// The squared distance is a sum of squared normals, one for each direction. It is approximated by Tr Σ / K times
  /// χ²_ν / ν with ν as above (Satterthwaite 1946). The quantile of χ² is approximated after Wilson and Hilferty
  /// (1931).
  func radius(falseAlarm: Double) -> Double {
    let z = normalQuantile(upper: falseAlarm)
    let root = 1 - 2 / (9 * freedom) + z * (2 / (9 * freedom)).squareRoot()
    return (trace / count * root * root * root).squareRoot()
  }
}

/// Returns the value that a standard normal number exceeds with the probability `p`, from 0 to 0.5.
func normalQuantile(upper p: Double) -> Double {
  precondition(p > 1e-300 && p <= 0.5, "the probability must be from 1e-300 to 0.5, not \(p)")
  var (low, high) = (0.0, 40.0)
  for _ in 0..<100 {
    let middle = (low + high) / 2
    if erfc(middle / 2.0.squareRoot()) / 2 > p { low = middle } else { high = middle }
  }
  return (low + high) / 2
}
