import Core
import Tensors

/// π_θ(a|o) in any action space: a network gives the log-odds of choices or the means of a tanh-Gaussian, whose log σ are
/// parameters of their own, the same for all observations.
public struct StochasticPolicy: Module {
  public var trunk: MultilayerPerceptron
  /// log σ, `[1, A]`; none of choices.
  public var logSigma: [Parameter]

  /// - Parameter initialSigma: σ before the tanh at the start.
  public init(
    _ observations: Int, _ actionSpace: ActionSpace, hidden: [Int], initialSigma: Double = 0.6,
    using random: inout Random
  ) {
    let size = actionSpace.networkSize
    // A small last layer: every action is about as likely at first.
    trunk = MultilayerPerceptron(observations, hidden: hidden, size, outputGain: 0.01, using: &random)
    logSigma =
      actionSpace.isContinuous
      ? [Parameter(value: log(Tensor(repeating: initialSigma, [1, size])))] : []
  }

  public func callAsFunction(_ o: Tensor) -> ActionDistribution {  // [B, O]
    Self.distribution(trunk(o), logSigma: logSigma.first?.value)
  }

  /// Where log σ stays: a density that is all in one place has no slope. Once it has left, nothing moves it any more.
  private static let (leastLogSigma, greatestLogSigma) = (-5.0, 2.0)

  /// What a network's output `[B, A]` speaks of.
  ///
  /// - Parameter logSigma: `[1, A]`, or nil for choices.
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

/// A parameter that no layer holds.
public struct Parameter: Module {
  public var value: Tensor

  public init(value: Tensor) { self.value = value }
  public mutating func visit(_ visitor: inout some ParameterVisitor) { visitor("value", &value) }
}

extension StochasticPolicy {
  /// F v with the Fisher matrix F = E_o E_{a∼π}[∇log π(a|o) ∇log π(a|o)ᵀ] (1.67), exact in the actions: F = E_o[Jᵀ M J]
  /// with the network's Jacobian J and the Fisher matrix M of the distribution in the network's outputs.
  ///
  /// - Parameters:
  ///   - observation: `[B, O]`, over which the mean is taken.
  ///   - direction: v, a number for each parameter in their order.
  public func fisherProduct(at observation: Tensor, _ direction: [Double]) -> [Double] {
    var v = self
    v.setParameters(to: direction)
    let tangent = trunk.derivative(at: observation, along: v.trunk)  // J v, [B, A]
    let rows = Double(observation.shape[0])
    let weighed: Tensor
    switch self(observation) {
    case .discrete(let choices):  // M = diag p − p pᵀ
      let p = choices.probabilities
      weighed = p * (tangent - (p * tangent).sum(axis: -1, keepingAxis: true))
    case .continuous(let box):  // M = diag σ⁻² for the means
      weighed = tangent * exp(-2 * box.gaussian.logSigma)
    }
    let (_, product) = valueWithGradient(at: trunk) { trunk in (trunk(observation) * weighed).sum() / rows }
    // and 2 for each log σ that still moves the policy.
    let spread = zip(logSigma, v.logSigma).flatMap { own, v in
      zip(own.value.doubles, v.value.doubles).map {
        $0 > Self.leastLogSigma && $0 < Self.greatestLogSigma ? 2 * $1 : 0
      }
    }
    return product.vector(of: trunk) + spread
  }

  /// (F + ζ1) v: the damping ζ keeps what no action tells of from moving far.
  public func dampedFisherProduct(at observation: Tensor, damping: Double, _ direction: [Double]) -> [Double] {
    sum(fisherProduct(at: observation, direction), damping, times: direction)
  }
}
