import Tensors

/// Each row to mean 0 and variance 1, then a learned scale and shift: `[..., C]` to `[..., C]` (Ba, Kiros and Hinton 2016).
public struct LayerNorm: Module {
  /// `[C]`, at first 1.
  public var weight: Tensor
  /// `[C]`, at first 0.
  public var bias: Tensor

  public init(_ size: Int) {
    precondition(size > 0, "LayerNorm has a positive size, not \(size)")
    weight = Tensor(repeating: 1, [size])
    bias = .zeros([size])
  }

  /// With ReLU if asked for, in the same pass.
  public func callAsFunction(_ x: Tensor, rectified: Bool = false) -> Tensor {
    layerNormalized(x, weight: weight, bias: bias, rectified: rectified)
  }

  public mutating func visit(_ visitor: inout some ParameterVisitor) {
    visitor("weight", &weight)
    visitor("bias", &bias)
  }
}
