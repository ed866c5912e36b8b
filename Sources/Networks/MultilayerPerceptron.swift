import Core
import Tensors

/// Linear layers with ReLU between them: `[B, I]` to `[B, O]`. The output is linear.
///
/// With `layerNorm`, a LayerNorm stands between each hidden layer and its ReLU.
public struct MultilayerPerceptron: Module {
  public var layers: [Linear]
  /// One a hidden layer, or none.
  public var norms: [LayerNorm]

  /// - Parameters:
  ///   - hidden: the sizes of the hidden layers.
  ///   - outputGain: the length of the output layer's rows at the start; small makes a policy start near its middle.
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
    var x = x
    for i in 0..<layers.count - 1 {
      x = norms.isEmpty ? layers[i](x, rectified: true) : norms[i](layers[i](x), rectified: true)
    }
    return layers[layers.count - 1](x)
  }

  public mutating func visit(_ visitor: inout some ParameterVisitor) {
    visitor("layers", &layers)
    visitor("norms", &norms)
  }
}
