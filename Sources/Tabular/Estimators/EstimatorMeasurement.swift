import Core

#if canImport(Glibc)
  import Glibc
#else
  import Foundation
#endif

/// Bias, variance and cost of an estimator, in units of what it estimates: |∇J| and |∇J|².
public struct EstimatorMeasurement: Sendable {
  public let estimator: Estimator
  /// ‖E ĝ − ∇J‖ / ‖∇J‖, less what chance alone makes of it; not negative.
  public let bias: Double
  /// Where the bias lies with a confidence of 95%: an interval from 0 is no evidence of any.
  public let biasInterval: ClosedRange<Double>
  /// Tr Var ĝ / ‖∇J‖²
  public let variance: Double
  /// With a confidence of 95%.
  public let varianceInterval: ClosedRange<Double>
  /// Time of one estimate, the median, without that of sampling, in microseconds.
  public let microseconds: Double

  private let distance: Double
  private let noise: SampleMeanNoise

  /// E‖ĝ − ∇J‖² / ‖∇J‖²
  public var meanSquaredError: Double { bias * bias + variance }

  /// Whether the distance of the mean from the exact gradient is beyond what chance makes of none with a probability of
  /// `falseAlarm`.
  public func isBiased(falseAlarm: Double) -> Bool {
    // Without noise nothing but rounding is between an unbiased mean and the gradient.
    distance > noise.radius(falseAlarm: falseAlarm) + 1e-9
  }

  /// - Parameters:
  ///   - samples: independent estimates, `[K, P]`, at least two.
  ///   - target: the exact gradient, `[P]`, not zero.
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

/// How far the mean of samples may be from what it estimates.
struct SampleMeanNoise: Sendable {
  /// Tr Σ, with Σ the covariance of one sample.
  let trace: Double
  /// The standard error of Tr Σ.
  let traceError: Double
  /// (Tr Σ)² / Tr Σ²: in how many directions the noise goes.
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

  /// What the distance of the mean from the expectation exceeds with a probability of `falseAlarm`.
  ///
  /// Its square is a sum of squared normals, one for each direction; it is taken for Tr Σ / K times χ²_ν / ν with ν as
  /// above (Satterthwaite 1946), and the quantile of χ² is Wilson and Hilferty's (1931).
  func radius(falseAlarm: Double) -> Double {
    let z = normalQuantile(upper: falseAlarm)
    let root = 1 - 2 / (9 * freedom) + z * (2 / (9 * freedom)).squareRoot()
    return (trace / count * root * root * root).squareRoot()
  }
}

/// What a standard normal number exceeds with a probability of `p`, from 0 to a half.
func normalQuantile(upper p: Double) -> Double {
  precondition(p > 1e-300 && p <= 0.5, "a probability of \(p) has no quantile here")
  var (low, high) = (0.0, 40.0)
  for _ in 0..<100 {
    let middle = (low + high) / 2
    if erfc(middle / 2.0.squareRoot()) / 2 > p { low = middle } else { high = middle }
  }
  return (low + high) / 2
}
