/// One link of a chain of convolutions: its kind and sizes, without weights.
///
/// A transposed convolution is the adjoint of the convolution with the same sizes, as in PyTorch's `ConvTranspose2d`.
public struct Convolution: Sendable, Hashable, Codable {
  public enum Kind: String, Sendable, Hashable, Codable {
    case forward
    case transposed
  }

  public let kind: Kind
  /// The numbers of input and output channels.
  public let inputs: Int
  public let outputs: Int
  /// The height and width of the square kernel.
  public let kernel: Int
  public let stride: Int
  /// Zeros added on each side of the input (of the output, removed, if transposed).
  public let padding: Int
  /// Rows and columns added at the bottom and right of a transposed convolution's output.
  public let outputPadding: Int
  /// Whether ReLU follows.
  public let rectified: Bool

  public init(
    _ kind: Kind = .forward, inputs: Int, outputs: Int, kernel: Int, stride: Int = 1, padding: Int = 0,
    outputPadding: Int = 0, rectified: Bool = false
  ) {
    precondition(inputs > 0 && outputs > 0, "a convolution needs channels, not \(inputs) to \(outputs)")
    precondition(
      kernel > 0 && stride > 0 && padding >= 0 && padding < kernel,
      "a convolution cannot have kernel \(kernel), stride \(stride) and padding \(padding)")
    precondition(
      outputPadding >= 0 && outputPadding < stride && (kind == .transposed || outputPadding == 0),
      "output padding \(outputPadding) needs a transposed convolution with a larger stride, not \(stride)")
    self.kind = kind
    self.inputs = inputs
    self.outputs = outputs
    self.kernel = kernel
    self.stride = stride
    self.padding = padding
    self.outputPadding = outputPadding
    self.rectified = rectified
  }

  public func outputSize(height: Int, width: Int) -> (Int, Int) {
    func extent(_ size: Int) -> Int {
      switch kind {
      case .forward: (size + 2 * padding - kernel) / stride + 1
      case .transposed: (size - 1) * stride - 2 * padding + kernel + outputPadding
      }
    }
    precondition(
      kind == .transposed || min(height, width) + 2 * padding >= kernel,
      "a kernel of \(kernel) does not fit into \(height) x \(width) with padding \(padding)")
    let (outHeight, outWidth) = (extent(height), extent(width))
    precondition(outHeight > 0 && outWidth > 0, "\(self) leaves nothing of \(height) x \(width)")
    return (outHeight, outWidth)
  }

  /// `[outputs, inputs, kernel, kernel]`, or `[inputs, outputs, kernel, kernel]` if transposed, as in PyTorch.
  public var weightShape: Shape {
    kind == .forward ? [outputs, inputs, kernel, kernel] : [inputs, outputs, kernel, kernel]
  }
}

/// Applies a chain of convolutions, each with its bias and optional ReLU, as one operation: intermediate activations
/// are never converted to the plain layout.
///
/// - Parameters:
///   - x: `[B, C, H, W]`.
///   - weights: one of `weightShape` for each link.
///   - biases: one `[outputs]` for each link.
/// - Returns: `[B, C', H', W']`.
public func convolved(
  _ x: Tensor, through chain: [Convolution], weights: [Tensor], biases: [Tensor]
) -> Tensor {
  precondition(
    !chain.isEmpty && weights.count == chain.count && biases.count == chain.count,
    "a chain of \(chain.count) convolutions with \(weights.count) weights and \(biases.count) biases")
  precondition(
    x.shape.rank == 4 && x.shape[1] == chain[0].inputs,
    "a convolution expects \(chain[0].inputs) channels, not a tensor of shape \(x.shape)")
  for (i, link) in chain.enumerated() {
    precondition(
      i == 0 || link.inputs == chain[i - 1].outputs,
      "link \(i) expects \(link.inputs) channels, not \(chain[max(i, 1) - 1].outputs)")
    precondition(
      weights[i].shape == link.weightShape && biases[i].shape == [link.outputs],
      "link \(i) needs weight \(link.weightShape) and bias [\(link.outputs)], not \(weights[i].shape), \(biases[i].shape)"
    )
    precondition(
      weights[i].precision == x.precision && biases[i].precision == x.precision,
      "link \(i) mixes precisions: the input is \(x.precision)")
  }
  #if OneDNN
    if x.precision == .float32 && x.shape.count > 0 && BlockedCorrelation.isSupported {
      return BlockedConvolutions.forward(x, chain, weights, biases)
    }
  #endif
  return PortableConvolutions.forward(x, chain, weights, biases)
}

extension [Convolution] {
  /// - Parameter inputs: x, the weights of all links, then their biases.
  func describe(_ inputs: [Graph.Value], in graph: inout Graph) -> Graph.Value {
    var x = inputs[0]
    for (i, link) in enumerated() {
      x = link.describe([x, inputs[1 + i], inputs[1 + count + i]], in: &graph)
    }
    return x
  }
}

extension Convolution {
  fileprivate func describe(_ inputs: [Graph.Value], in graph: inout Graph) -> Graph.Value {
    var attributes: [String: Graph.Attribute] = [
      "kernel_shape": .integers([kernel, kernel]), "strides": .integers([stride, stride]),
      "pads": .integers([padding, padding, padding, padding]),
    ]
    if kind == .transposed { attributes["output_padding"] = .integers([outputPadding, outputPadding]) }
    let y = graph.apply(kind == .forward ? "Conv" : "ConvTranspose", inputs, attributes)
    return graph.activated(y, by: rectified ? .relu : .identity)
  }
}
