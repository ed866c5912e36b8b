import Core
import Tensors

#if canImport(Glibc)
  import Glibc
#else
  import Foundation
#endif

/// a = tanh(u) with Gaussian u: actions in (-1, 1), one distribution per row (Haarnoja 2018, appendix C).
public struct TanhGaussian: Sendable {
  /// The distribution of u, before the tanh.
  public let gaussian: Gaussian

  /// - Parameters:
  ///   - mean: μ of u, `[B, A]`.
  ///   - logSigma: log σ of u, `[B, A]`.
  public init(mean: Tensor, logSigma: Tensor) { gaussian = Gaussian(mean: mean, logSigma: logSigma) }

  /// Creates the distribution from a network's output `[B, 2A]`: the means, then the raw log σ, which a tanh maps
  /// smoothly into `range`.
  public init(_ output: Tensor, logSigma range: ClosedRange<Double>) {
    let size = output.shape[-1] / 2
    precondition(output.shape[-1] == 2 * size, "means and log σ need an even number of columns, not \(output.shape)")
    let halfWidth = (range.upperBound - range.lowerBound) / 2
    let logSigma = (tanh(output.columns(size..<2 * size)) + 1) * halfWidth + range.lowerBound
    self.init(mean: output.columns(0..<size), logSigma: logSigma)
  }

  /// Draws an action `[B, A]`, through which gradients flow to μ and σ, and its log-probability `[B, 1]`.
  public func sample(using random: inout Random) -> (action: Tensor, logProbability: Tensor) {
    let mean = gaussian.mean
    return sample(noise: .normal(mean.shape, mean.precision, using: &random))
  }

  /// Returns the action for given standard normal noise `[B, A]`, and its log-probability `[B, 1]`.
  func sample(noise: Tensor) -> (action: Tensor, logProbability: Tensor) {
    let u = gaussian.mean + exp(gaussian.logSigma) * noise
    return (tanh(u), gaussian.logDensity(ofStandardized: noise) - logSlope(u))
  }

  /// tanh(μ), `[B, A]`: the action without noise.
  public var mode: Tensor { tanh(gaussian.mean) }

  /// The log-probability `[B, 1]` of actions `[B, A]`.
  ///
  /// An action nearer than 1e-6 to ±1 is saturated: float32 barely distinguishes it from ±1, so its u is unknown. Known is
  /// the event ±u > artanh(1 - 1e-6), whose probability takes the place of the density, as for censored data (Tobin
  /// 1958):
  ///
  ///     log P = log Φ((±μ - artanh(1 - 1e-6)) / σ)
  ///
  /// So the score ∇log π has mean 0, and two policies are compared by the same event. The density at the limit has
  /// another mean, and its ratios overflow.
  public func logProbability(of action: Tensor) -> Tensor {
    let a = clamp(action, -Self.limit, Self.limit)
    let u = 0.5 * (Tensors.log(1 + a) - Tensors.log(1 - a))  // artanh a
    let side = sign(action - a).detached  // [B, A]: ±1 if saturated, else 0
    guard side.doubles.contains(where: { $0 != 0 }) else { return logProbability(ofTanhOf: u) }
    let inverseSigma = exp(-gaussian.logSigma)
    let density = gaussian.logDensities(ofStandardized: (u - gaussian.mean) * inverseSigma)
    let tail = logNormalCDF((side * gaussian.mean - atanh(Self.limit)) * inverseSigma)
    let isSaturated = abs(side)
    let isInside = 1 - isSaturated
    return (density * isInside + tail * isSaturated).sum(axis: -1, keepingAxis: true)
      - (logSlopes(u) * isInside).sum(axis: -1, keepingAxis: true)
  }

  /// The largest action that is not saturated.
  private static let limit = 1 - 1e-6

  /// The log-probability `[B, 1]` of the actions tanh(u) with known u, `[B, A]`. It is exact near ±1 too.
  public func logProbability(ofTanhOf u: Tensor) -> Tensor { gaussian.logProbability(of: u) - logSlope(u) }

  /// log da/du = Σ log(1 - tanh² u) over A, `[B, 1]`.
  private func logSlope(_ u: Tensor) -> Tensor { logSlopes(u).sum(axis: -1, keepingAxis: true) }

  /// log(1 - tanh² u) = 2 (log 2 - u - softplus(-2u)), `[B, A]`: a form that neither overflows nor underflows.
  private func logSlopes(_ u: Tensor) -> Tensor { 2 * (log(2.0) - u - softplus(-2 * u)) }
}
