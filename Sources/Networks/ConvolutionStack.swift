import Core
import Tensors

public struct ConvolutionStack: Module {
  public let links: [Convolution]
  public var weights: [Tensor]
  public var biases: [Tensor]
  public init(_ links: [Convolution], using random: inout Random) {
    self.links = links
    weights = []
    biases = []
    for link in links {
      let fan = Double(link.inputs * link.kernel * link.kernel)
      let bound = (link.rectified ? 6.0 : 3.0) / fan
      var w = Tensor.zeros(link.weightShape)
      w.withMutableElements { e in for i in 0..<e.count { e[i] = Float(random.uniform(-bound.squareRoot(), bound.squareRoot())) } }
      weights.append(w)
      biases.append(.zeros([link.outputs]))
    }
  }
  public func callAsFunction(_ x: Tensor) -> Tensor { convolved(x, through: links, weights: weights, biases: biases) }
  public mutating func visit(_ visitor: inout some ParameterVisitor) {
    for i in weights.indices {
      visitor.enter("layers", index: i)
      visitor("weight", &weights[i])
      visitor("bias", &biases[i])
      visitor.leave()
    }
  }
}
