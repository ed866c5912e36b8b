import Core
import Tensors

/// A chain of convolutions, run as one operation: `[B, C, H, W]` to `[B, C', H', W']`.
public struct ConvolutionStack: Module {
  /// The initialisation of the weights. All but the damped one keep the variance through each link and its ReLU. Biases
  /// are zero.
  public enum Start: Sendable, Hashable {
    /// Uniform over the whole kernel (He 2015).
    case heUniform
    /// Uniform in ±1/√fan-in. Each link reduces the variance, so that the output starts near zero.
    case dampedUniform
    /// Orthogonal kernels, each flattened to a row (Saxe 2014).
    case orthogonal
  }

  public let links: [Convolution]
  /// One tensor per link, of the link's `weightShape`.
  public var weights: [Tensor]
  /// One tensor `[outputs]` per link.
  public var biases: [Tensor]

  public init(_ links: [Convolution], start: Start = .heUniform, using random: inout Random) {
    self.links = links
    weights = []
    for link in links { weights.append(link.weight(start, using: &random)) }
    biases = links.map { .zeros([$0.outputs]) }
  }

  public func callAsFunction(_ x: Tensor) -> Tensor {
    convolved(x, through: links, weights: weights, biases: biases)
  }

  /// Returns the height and width of the output.
  public func outputSize(height: Int, width: Int) -> (height: Int, width: Int) {
    links.reduce((height, width)) { $1.outputSize(height: $0.0, width: $0.1) }
  }

  public mutating func visit(_ visitor: inout some ParameterVisitor) {
    for index in links.indices {
      visitor.enter("layers", index: index)
      visitor("weight", &weights[index])
      visitor("bias", &biases[index])
      visitor.leave()
    }
  }
}

extension Convolution {
  /// The number of products in the sum for one output. The stride of a transposed convolution divides it.
  private var fanIn: Int {
    kind == .forward ? inputs * kernel * kernel : max(inputs * kernel * kernel / (stride * stride), 1)
  }

  fileprivate func weight(_ start: ConvolutionStack.Start, using random: inout Random) -> Tensor {
    let gain = rectified ? 2.0.squareRoot() : 1
    switch start {
    case .heUniform:
      return uniform(weightShape, bound: gain * (3 / Double(fanIn)).squareRoot(), using: &random)
    case .dampedUniform:
      return uniform(weightShape, bound: 1 / Double(fanIn).squareRoot(), using: &random)
    case .orthogonal:
      return orthogonal(weightShape, gain: gain, using: &random)
    }
  }
}
