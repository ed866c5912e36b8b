import Tensors

/// Normalises each row to mean 0 and variance 1, then applies a learned scale and shift: `[..., C]` to `[..., C]` (Ba,
/// Kiros and Hinton 2016).
public struct LayerNorm: Module {
  /// `[C]`, initially 1.
  public var weight: Tensor
  /// `[C]`, initially 0.
  public var bias: Tensor

  public init(_ size: Int) {
    precondition(size > 0, "the size of a LayerNorm must be positive, not \(size)")
    weight = Tensor(repeating: 1, [size])
    bias = .zeros([size])
  }

  /// - Parameter rectified: whether to apply ReLU in the same pass.
  public func callAsFunction(_ x: Tensor, rectified: Bool = false) -> Tensor {
    layerNormalized(x, weight: weight, bias: bias, activation: rectified ? .relu : .identity)
  }

  public mutating func visit(_ visitor: inout some ParameterVisitor) {
    visitor("weight", &weight)
    visitor("bias", &bias)
  }
}
