import Core
import Tensors

/// Linear layers with LayerNorm, without a learned scale and shift, and an activation between them: `[B, I]` to `[B, O]`.
/// The output is linear (Fujimoto et al. 2025, arXiv 2501.16142).
public struct NormalizedPerceptron: Module {
  public var layers: [Linear]
  let activation: Activation

  /// - Parameter hidden: the sizes of the hidden layers.
  public init(_ inputs: Int, hidden: [Int], _ outputs: Int, _ activation: Activation, using random: inout Random) {
    let sizes = [inputs] + hidden + [outputs]
    layers = []
    for (inputs, outputs) in zip(sizes, sizes.dropFirst()) {
      layers.append(Linear(inputs, outputs, uniformGain: 2.0.squareRoot(), using: &random))
    }
    self.activation = activation
  }

  public func callAsFunction(_ x: Tensor) -> Tensor {
    var parameters = layers.flatMap { [$0.weight, $0.bias] }
    for layer in layers.dropLast() {
      let size = layer.bias.shape
      parameters += [Tensor(repeating: 1, size, layer.bias.precision), .zeros(size, layer.bias.precision)]
    }
    return layerStack(x, parameters, layers: layers.count, activation: activation)
  }

  public mutating func visit(_ visitor: inout some ParameterVisitor) { visitor("layers", &layers) }
}

/// LayerNorm over the last axis without a learned scale and shift, then an activation.
public func normalized(_ x: Tensor, _ activation: Activation) -> Tensor {
  layerNormalized(
    x, weight: Tensor(repeating: 1, [x.shape[-1]], x.precision), bias: .zeros([x.shape[-1]], x.precision),
    activation: activation)
}
