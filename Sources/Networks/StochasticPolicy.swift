import Core
import Tensors

/// π_θ(a|o) in any action space. A network outputs the logits of choices, or the means of a tanh-Gaussian whose log σ
/// are separate parameters, the same for all observations.
public struct StochasticPolicy: Module {
  public var trunk: MultilayerPerceptron
  /// log σ, `[1, A]`; empty for discrete actions.
  public var logSigma: [Parameter]

  /// - Parameter initialSigma: the initial σ, before the tanh.
  public init(
    _ observations: Int, _ actionSpace: ActionSpace, hidden: [Int], initialSigma: Double = 0.6,
    using random: inout Random
  ) {
    let size = actionSpace.networkSize
    // With a small last layer all actions are about equally likely at first.
    trunk = MultilayerPerceptron(observations, hidden: hidden, size, outputGain: 0.01, using: &random)
    logSigma =
      actionSpace.isContinuous
      ? [Parameter(value: log(Tensor(repeating: initialSigma, [1, size])))] : []
  }

  public func callAsFunction(_ o: Tensor) -> ActionDistribution {  // [B, O]
    Self.distribution(trunk(o), logSigma: logSigma.first?.value)
  }

  /// The range of log σ. A density that is too narrow has no useful gradient; outside the range the gradient is 0.
  private static let (leastLogSigma, greatestLogSigma) = (-5.0, 2.0)

  /// Creates the distributions from a network's output `[B, A]`.
  ///
  /// - Parameter logSigma: `[1, A]`, or nil for discrete actions.
  public static func distribution(_ output: Tensor, logSigma: Tensor?) -> ActionDistribution {
    guard let logSigma else { return .discrete(Categorical(logits: output)) }
    let spread = Tensor.zeros(output.shape, output.precision) + clamp(logSigma, leastLogSigma, greatestLogSigma)
    return .continuous(TanhGaussian(mean: output, logSigma: spread))
  }

  public mutating func visit(_ visitor: inout some ParameterVisitor) {
    visitor("trunk", &trunk)
    visitor("log_sigma", &logSigma)
  }
}

/// A parameter that is not part of a layer.
public struct Parameter: Module {
  public var value: Tensor

  public init(value: Tensor) { self.value = value }
  public mutating func visit(_ visitor: inout some ParameterVisitor) { visitor("value", &value) }
}

extension StochasticPolicy {
  /// Returns F v with the Fisher matrix F = E_o E_{a∼π}[∇log π(a|o) ∇log π(a|o)ᵀ] (1.67), exact in the actions: F =
  /// E_o[Jᵀ M J] with the network's Jacobian J and the Fisher matrix M of the distribution in its outputs.
  ///
  /// - Parameters:
  ///   - observation: `[B, O]`, over which the mean is taken.
  ///   - direction: v, one element per parameter element, in order.
  public func fisherProduct(at observation: Tensor, _ direction: [Double]) -> [Double] {
    var v = self
    v.setParameters(to: direction)
    let tangent = trunk.derivative(at: observation, along: v.trunk)  // J v, [B, A]
    let rows = Double(observation.shape[0])
    let weighted: Tensor
    switch self(observation) {
    case .discrete(let choices):  // M = diag p − p pᵀ
      let p = choices.probabilities
      weighted = p * (tangent - (p * tangent).sum(axis: -1, keepingAxis: true))
    case .continuous(let box):  // M = diag σ⁻² for the means
      weighted = tangent * exp(-2 * box.gaussian.logSigma)
    }
    let (_, product) = valueWithGradient(at: trunk) { trunk in (trunk(observation) * weighted).sum() / rows }
    // and 2 for each log σ inside its range.
    let spread = zip(logSigma, v.logSigma).flatMap { own, v in
      zip(own.value.doubles, v.value.doubles).map {
        $0 > Self.leastLogSigma && $0 < Self.greatestLogSigma ? 2 * $1 : 0
      }
    }
    return product.vector(of: trunk) + spread
  }

  /// Returns (F + ζ1) v. The damping ζ limits steps along directions that barely change the policy.
  public func dampedFisherProduct(at observation: Tensor, damping: Double, _ direction: [Double]) -> [Double] {
    sum(fisherProduct(at: observation, direction), damping, times: direction)
  }
}
