import Core
import Tensors

extension ActionSpace {
  /// Returns actions as the input of a network: indices as one-hot vectors, `[B, 1]` to `[B, A]`, and continuous actions
  /// unchanged.
  public func networkInput(_ actions: Tensor) -> Tensor {
    guard case .discrete(let count) = self else { return actions }
    return actions.withElements { indices in
      Tensor([indices.count, count], of: Float.self) { target in
        for i in 0..<target.count { target[i] = Int(indices[i / count]) == i % count ? 1 : 0 }
      }
    }
  }
}

/// Q(o, a) for any action space: a network whose input is observation and action, `[B, O]` and `[B, A]` to `[B, 1]`.
public struct ActionValue: Module {
  let space: ActionSpace
  public var trunk: MultilayerPerceptron

  public init(
    _ observations: Int, _ space: ActionSpace, hidden: [Int], layerNorm: Bool, using random: inout Random
  ) {
    self.space = space
    trunk = MultilayerPerceptron(
      observations + space.networkSize, hidden: hidden, 1, layerNorm: layerNorm, using: &random)
  }

  /// - Parameter a: within [-1, 1], or indices `[B, 1]`.
  public func callAsFunction(_ o: Tensor, _ a: Tensor) -> Tensor { trunk(input(o, a)) }

  /// The input of the network: `[B, O]` and actions, discrete ones as one-hot vectors.
  public func input(_ o: Tensor, _ a: Tensor) -> Tensor { concatenated(o, space.networkInput(a)) }

  /// V(o) = E_{a∼π}[Q(o, a)] (1.96), `[B, 1]`: the sum over all choices or, in a box, the mean over reparametrised
  /// samples. Gradients flow to the policy.
  ///
  /// - Parameter samples: the number of actions per row that are drawn in a box, at least 1.
  public func expectation(
    at o: Tensor, under policy: ActionDistribution, samples: Int, using random: inout Random
  ) -> Tensor {
    switch policy {
    case .discrete(let choices):
      let values = (0..<space.networkSize).map { choice in
        self(o, Tensor(repeating: Double(choice), [o.shape[0], 1], o.precision))
      }
      return (choices.probabilities * concatenated(values)).sum(axis: -1, keepingAxis: true)
    case .continuous(let box):
      let values = (0..<samples).map { _ in self(o, box.sample(using: &random).action) }
      return values.dropFirst().reduce(values[0], +) / Double(samples)
    }
  }

  public mutating func visit(_ visitor: inout some ParameterVisitor) { visitor("trunk", &trunk) }
}
