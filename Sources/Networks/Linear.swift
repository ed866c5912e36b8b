import Core
import Tensors

/// y = x Wᵀ + b, optionally with ReLU: `[B, I]` to `[B, O]`.
public struct Linear: Module {
  /// `[O, I]`
  public var weight: Tensor
  /// `[O]`
  public var bias: Tensor

  /// Initialises orthogonal weights and a zero bias. The default gain √2 keeps the variance through a following ReLU.
  public init(_ inputs: Int, _ outputs: Int, gain: Double = 2.0.squareRoot(), using random: inout Random) {
    precondition(
      inputs > 0 && outputs > 0, "the sizes of a linear layer must be positive, not \(inputs) and \(outputs)")
    weight = orthogonal([outputs, inputs], gain: gain, using: &random)
    bias = .zeros([outputs])
  }

  /// Initialises weights that are uniform in ±gain √(6 / (I + O)), and a zero bias (Glorot and Bengio 2010, eq. 16).
  public init(_ inputs: Int, _ outputs: Int, uniformGain gain: Double, using random: inout Random) {
    let bound = gain * (6 / Double(inputs + outputs)).squareRoot()
    weight = uniform([outputs, inputs], bound: bound, using: &random)
    bias = .zeros([outputs])
  }

  public func callAsFunction(_ x: Tensor, rectified: Bool = false) -> Tensor {
    linear(x, weight: weight, bias: bias, rectified: rectified)
  }

  public mutating func visit(_ visitor: inout some ParameterVisitor) {
    visitor("weight", &weight)
    visitor("bias", &bias)
  }
}
