import Core
import Tensors

/// μ(o) = tanh(f(o)): one action in a box, without noise.
public struct DeterministicPolicy: Module {
  public var trunk: MultilayerPerceptron

  /// - Parameter hidden: the units of each of the two hidden layers.
  public init(_ observations: Int, _ actions: Int, hidden: Int, using random: inout Random) {
    trunk = MultilayerPerceptron(observations, hidden: [hidden, hidden], actions, outputGain: 0.1, using: &random)
  }

  public func callAsFunction(_ o: Tensor) -> Tensor { tanh(trunk(o)) }  // [B, O] -> [B, A]

  public mutating func visit(_ visitor: inout some ParameterVisitor) { visitor("trunk", &trunk) }
}
