import Core
import Tensors

#if canImport(Glibc)
  import Glibc
#else
  import Foundation
#endif

/// Independent normal distributions, each with its mean and standard deviation: `[B, A]`.
public struct Gaussian: Sendable {
  /// μ, `[B, A]`
  public let mean: Tensor
  /// log σ, `[B, A]`
  public let logSigma: Tensor

  public init(mean: Tensor, logSigma: Tensor) {
    precondition(mean.shape == logSigma.shape, "a Gaussian of mean \(mean.shape) and log σ \(logSigma.shape)")
    self.mean = mean
    self.logSigma = logSigma
  }

  /// Draws x = μ + σ ε with ε standard normal, `[B, A]`. Gradients flow to μ and σ (Kingma and Welling 2014).
  public func sample(using random: inout Random) -> Tensor {
    mean + exp(logSigma) * .normal(mean.shape, mean.precision, using: &random)
  }

  /// The most probable value, μ.
  public var mode: Tensor { mean }

  /// log p(x) = Σ (-ε²/2 - log σ - log(2π)/2) with ε = (x - μ)/σ, summed over A: `[B, 1]`.
  public func logProbability(of x: Tensor) -> Tensor {
    logDensity(ofStandardized: (x - mean) * exp(-logSigma))
  }

  /// log p(μ + σ ε), `[B, 1]`.
  func logDensity(ofStandardized noise: Tensor) -> Tensor {
    logDensities(ofStandardized: noise).sum(axis: -1, keepingAxis: true)
  }

  /// log p(μ + σ ε) of each dimension, `[B, A]`.
  func logDensities(ofStandardized noise: Tensor) -> Tensor {
    -0.5 * square(noise) - logSigma - 0.5 * log(2 * Double.pi)
  }

  /// Σ (log σ + log(2πe)/2) over A: `[B, 1]`.
  public var entropy: Tensor {
    (logSigma + 0.5 * (log(2 * Double.pi) + 1)).sum(axis: -1, keepingAxis: true)
  }
}
