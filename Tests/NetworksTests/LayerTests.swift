import Core
import Testing

@testable import Networks
@testable import Tensors

@Suite struct LayerTests {
  /// Checks that the output and all gradients of the loss Σ y r equal PyTorch's.
  private func check<Layer: Module>(
    _ layer: Layer, _ name: String, _ precision: Precision, _ apply: (Layer, Tensor) -> Tensor
  ) throws {
    let layer = try golden.module(layer, name, precision)
    let (x, r) = (golden("\(name).x0", precision), golden("\(name).r", precision))
    expectClose(apply(layer, x), golden["\(name).y"], "\(name).y")
    let (_, gradient, xGradient) = valueWithGradient(at: layer, and: x, isWanted: true) { (apply($0, $1) * r).sum() }
    for (index, parameter) in layer.parameters.enumerated() {
      expectClose(gradient.tensors[index], golden["\(name).gradient.\(parameter.name)"], "\(name) \(parameter.name)")
    }
    expectClose(xGradient, golden["\(name).gradient_x0"], "\(name) x")
  }

  @Test(arguments: [Precision.float32, .float64])
  func layersAgreeWithPyTorch(_ precision: Precision) throws {
    var random = Seed(1).stream("layers")
    try check(Linear(5, 4, using: &random), "linear", precision) { $0($1) }
    try check(LayerNorm(11), "layer_norm", precision) { $0($1) }
    let sizes = (6, [9, 7], 3)
    try check(MultilayerPerceptron(sizes.0, hidden: sizes.1, sizes.2, using: &random), "mlp", precision) { $0($1) }
    try check(
      MultilayerPerceptron(sizes.0, hidden: sizes.1, sizes.2, layerNorm: true, using: &random), "mlp_norm", precision
    ) { $0($1) }
    let down = ConvolutionStack(
      [
        Convolution(inputs: 3, outputs: 4, kernel: 3, stride: 2, padding: 1, rectified: true),
        Convolution(inputs: 4, outputs: 5, kernel: 3),
      ], using: &random)
    try check(down, "convolutions", precision) { $0($1) }
    let up = ConvolutionStack(
      [
        Convolution(.transposed, inputs: 5, outputs: 4, kernel: 3, rectified: true),
        Convolution(.transposed, inputs: 4, outputs: 3, kernel: 3, stride: 2, outputPadding: 1),
      ], using: &random)
    try check(up, "transposed_convolutions", precision) { $0($1) }
    #expect(down.outputSize(height: 9, width: 9) == (3, 3))
    #expect(up.outputSize(height: 3, width: 3) == (12, 12))
  }

  /// Uniform and orthogonal weights keep the variance of a signal through several links with ReLU.
  @Test(arguments: [ConvolutionStack.Start.heUniform, .orthogonal])
  func convolutionsKeepTheVarianceOfASignal(_ start: ConvolutionStack.Start) {
    var random = Seed(6).stream("stack")
    let link = Convolution(inputs: 16, outputs: 16, kernel: 3, padding: 1, rectified: true)
    let stack = ConvolutionStack([link, link, link, link], start: start, using: &random)
    let x = Tensor.normal([2, 16, 9, 9], using: &random)
    let ratio = square(stack(x)).mean().item / square(x).mean().item
    #expect(ratio > 0.2 && ratio < 5, "the mean square changes by \(ratio)")
    #expect(stack.parameters.map(\.name).prefix(2) == ["layers.0.weight", "layers.0.bias"])
  }

  /// Weights that are uniform in ±1/√fan-in have a variance of 1/(3 fan-in), so each link divides the mean square by 3.
  @Test func dampedConvolutionsReduceTheVarianceOfASignal() {
    var random = Seed(6).stream("stack")
    let link = Convolution(inputs: 64, outputs: 64, kernel: 3, padding: 1)
    let stack = ConvolutionStack([link, link], start: .dampedUniform, using: &random)
    let x = Tensor.normal([1, 64, 24, 24], using: &random)
    let ratio = square(stack(x)).mean().item / square(x).mean().item
    #expect(abs(ratio * 9 - 1) < 0.25, "the mean square changes by \(ratio)")
  }

  @Test func gradientsMatchDifferences() {
    var random = Seed(2).stream("differences")
    let x = Tensor.normal([3, 4], .float64, using: &random)
    expectGradientMatchesDifferences(Linear(4, 3, using: &random)) { square($0(x, rectified: true)).sum() }
    // The rows of LayerNorm's output have a fixed length, so only an asymmetric loss has gradients.
    let layer = MultilayerPerceptron(4, hidden: [5, 3], 2, layerNorm: true, using: &random)
    expectGradientMatchesDifferences(layer) { square($0(x) - 0.3).sum() }
  }

  @Test func fusedReLUEqualsSeparateReLU() {
    var random = Seed(3).stream("rectified")
    let x = Tensor.normal([7, 19], using: &random)
    let layer = Linear(19, 13, using: &random)
    expectClose(layer(x, rectified: true), relu(layer(x)), "linear")
    var norm = LayerNorm(19)
    norm.weight = .normal([19], using: &random)
    norm.bias = .normal([19], using: &random)
    expectClose(norm(x, rectified: true), relu(norm(x)), "norm")
    let r = Tensor.normal([7, 19], using: &random)
    let fused = valueWithGradient(at: norm) { ($0(x, rectified: true) * r).sum() }.gradient
    let plain = valueWithGradient(at: norm) { (relu($0(x)) * r).sum() }.gradient
    for (index, part) in plain.tensors.enumerated() { expectClose(fused.tensors[index], part!, "norm part \(index)") }
  }

  @Test func parameterNamesAreThoseOfAStateDict() {
    var random = Seed(4).stream("names")
    let network = MultilayerPerceptron(3, hidden: [4], 2, layerNorm: true, using: &random)
    #expect(
      network.parameters.map(\.name) == [
        "layers.0.weight", "layers.0.bias", "layers.1.weight", "layers.1.bias", "norms.0.weight", "norms.0.bias",
      ])
    #expect(network.parameters.map(\.value.shape) == [[4, 3], [4], [2, 4], [2], [4], [4]])
  }

  @Test func emptyHiddenIsOneLinearLayer() {
    var random = Seed(5).stream("empty")
    let network = MultilayerPerceptron(3, hidden: [], 2, outputGain: 0.01, using: &random)
    let x = Tensor.normal([4, 3], using: &random)
    expectClose(network(x), network.layers[0](x), "one layer")
    #expect(network.parameterCount == 8)
    #expect(network(x).array.allSatisfy { abs($0) < 0.1 }, "a small gain starts near zero")
  }
}
