import Core
import Tensors

/// Linear layers with ReLU between them: `[B, I]` to `[B, O]`. The output is linear.
///
/// With `layerNorm`, there is a LayerNorm between each hidden layer and its ReLU.
public struct MultilayerPerceptron: Module {
  public var layers: [Linear]
  /// One per hidden layer, or none.
  public var norms: [LayerNorm]

  /// - Parameters:
  ///   - hidden: the sizes of the hidden layers.
  ///   - outputGain: the initial length of the output layer's rows. With a small value a policy's outputs start near 0.
  public init(
    _ inputs: Int, hidden: [Int], _ outputs: Int, layerNorm: Bool = false, outputGain: Double = 1,
    using random: inout Random
  ) {
    let sizes = [inputs] + hidden
    layers = []
    for (inputs, outputs) in zip(sizes, hidden) { layers.append(Linear(inputs, outputs, using: &random)) }
    layers.append(Linear(sizes[hidden.count], outputs, gain: outputGain, using: &random))
    norms = layerNorm ? hidden.map(LayerNorm.init) : []
  }

  public func callAsFunction(_ x: Tensor) -> Tensor {
    var parameters: [Tensor] = []
    parameters.reserveCapacity(2 * (layers.count + norms.count))
    for layer in layers {
      parameters.append(layer.weight)
      parameters.append(layer.bias)
    }
    for norm in norms {
      parameters.append(norm.weight)
      parameters.append(norm.bias)
    }
    return layerStack(x, parameters, layers: layers.count)
  }

  public mutating func visit(_ visitor: inout some ParameterVisitor) {
    visitor("layers", &layers)
    visitor("norms", &norms)
  }
}

extension MultilayerPerceptron {
  /// Returns J v, the derivative of the output `[B, O]` along a direction of the parameters, in forward mode. Does not
  /// support LayerNorm.
  ///
  /// - Parameters:
  ///   - x: the input, `[B, I]`.
  ///   - direction: v, as a network of the same shape.
  public func derivative(at x: Tensor, along direction: Self) -> Tensor {
    precondition(norms.isEmpty, "forward mode does not support LayerNorm")
    var (x, dx) = (x, Tensor.zeros(x.shape, x.precision))
    for (i, (layer, d)) in zip(layers, direction.layers).enumerated() {
      // y = W x + b, so dy = dW x + db + W dx
      var dy = d(x) + matrixProduct(dx, transposed: false, layer.weight, transposed: true)
      var y = layer(x)
      if i < layers.count - 1 {
        dy = gradient(at: y) { y in (relu(y) * dy).sum() }  // relu′(y) dy
        y = relu(y)
      }
      (x, dx) = (y, dy)
    }
    return dx
  }
}
