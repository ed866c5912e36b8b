import Core
import Tensors

#if canImport(Glibc)
  import Glibc
#else
  import Foundation
#endif

/// y = x (W + W′ ⊙ ε)ᵀ + b + b′ ⊙ ε_out, a linear layer with noise of learned scale on its weights: `[B, I]` to `[B,
/// O]` (Fortunato et al. 2018, arXiv 1706.10295, eq. 9).
///
/// The noise is factorised, ε_ij = f(ε_i) f(ε_j) (eq. 10). The noisy part is then a second linear layer, whose inputs
/// and outputs are multiplied by noise, and no noisy matrix is needed.
public struct NoisyLinear: Module {
  /// W, `[O, I]`
  public var weight: Tensor
  /// b, `[O]`
  public var bias: Tensor
  /// W′, `[O, I]`: the standard deviations of the weights.
  public var weightSigma: Tensor
  /// b′, `[O]`
  public var biasSigma: Tensor

  /// One sample of the noise, the same for all rows of a batch.
  public struct Noise: Sendable {
    /// f(ε), `[1, I]`
    public let input: Tensor
    /// f(ε), `[1, O]`
    public let output: Tensor
  }

  /// Initialises orthogonal weights, a zero bias, and deviations of σ₀ / √I.
  public init(
    _ inputs: Int, _ outputs: Int, gain: Double = 2.0.squareRoot(), initialSigma: Double = 0.5,
    using random: inout Random
  ) {
    let linear = Linear(inputs, outputs, gain: gain, using: &random)
    (weight, bias) = (linear.weight, linear.bias)
    let sigma = initialSigma / Double(inputs).squareRoot()
    weightSigma = Tensor(repeating: sigma, [outputs, inputs])
    biasSigma = Tensor(repeating: sigma, [outputs])
  }

  /// Draws f(x) = sgn(x) √|x| of standard normal numbers.
  public func noise(using random: inout Random) -> Noise {
    func draw(_ count: Int) -> Tensor {
      Tensor([1, count], of: Float.self) { target in
        for i in 0..<count {
          let x = random.normal()
          target[i] = Float(copysign(abs(x).squareRoot(), x))
        }
      }
    }
    return Noise(input: draw(weight.shape[1]), output: draw(weight.shape[0]))
  }

  /// - Parameter noise: nil for the layer without noise.
  public func callAsFunction(_ x: Tensor, _ noise: Noise?) -> Tensor {
    let mean = linear(x, weight: weight, bias: bias)
    guard let noise else { return mean }
    return mean + linear(x * noise.input, weight: weightSigma, bias: biasSigma) * noise.output
  }

  public mutating func visit(_ visitor: inout some ParameterVisitor) {
    visitor("weight", &weight)
    visitor("bias", &bias)
    visitor("weight_sigma", &weightSigma)
    visitor("bias_sigma", &biasSigma)
  }
}
