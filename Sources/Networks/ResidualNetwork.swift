import Core
import Tensors

/// Residual blocks between a linear input and a linear output: `[B, I]` to `[B, O]` (Nauman et al. 2024, arXiv
/// 2405.16158).
///
///     h = ReLU(LN(W x)),  h ← h + LN(W' ReLU(LN(W h)))  for each block,  y = W h
public struct ResidualNetwork: Module {
  var input: Linear
  var norm: LayerNorm
  var blocks: [Block]
  var output: Linear

  /// - Parameters:
  ///   - hidden: the size of h.
  ///   - blocks: the number of blocks, of two linear layers each.
  public init(_ inputs: Int, hidden: Int, blocks: Int, _ outputs: Int, using random: inout Random) {
    input = Linear(inputs, hidden, using: &random)
    norm = LayerNorm(hidden)
    self.blocks = []
    for _ in 0..<blocks { self.blocks.append(Block(hidden, using: &random)) }
    output = Linear(hidden, outputs, gain: 1, using: &random)
  }

  public func callAsFunction(_ x: Tensor) -> Tensor {
    output(blocks.reduce(norm(input(x), rectified: true)) { h, block in h + block(h) })
  }

  public mutating func visit(_ visitor: inout some ParameterVisitor) {
    visitor("input", &input)
    visitor("norm", &norm)
    visitor("blocks", &blocks)
    visitor("output", &output)
  }

  /// LN(W' ReLU(LN(W h))): `[B, H]` to `[B, H]`.
  struct Block: Module {
    var layers: MultilayerPerceptron
    var norm: LayerNorm

    init(_ size: Int, using random: inout Random) {
      layers = MultilayerPerceptron(size, hidden: [size], size, layerNorm: true, using: &random)
      norm = LayerNorm(size)
    }

    func callAsFunction(_ h: Tensor) -> Tensor { norm(layers(h)) }

    mutating func visit(_ visitor: inout some ParameterVisitor) {
      visitor("layers", &layers)
      visitor("norm", &norm)
    }
  }
}
