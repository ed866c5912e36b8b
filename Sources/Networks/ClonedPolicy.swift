import Core
import Tensors

/// π(a|o), fitted to given actions by maximum likelihood: the logits of choices, or a Gaussian in a box whose mean is
/// tanh(f(o)) and whose log σ are separate parameters, the same for all observations.
///
/// The Gaussian is not that of `ActionDistribution`, which is squashed by the tanh: recorded actions are often at the
/// bounds of the box, where the density of a squashed Gaussian has no bound. Drawn actions are clipped to the box.
public struct ClonedPolicy: Module {
  let space: ActionSpace
  public var trunk: MultilayerPerceptron
  /// log σ, `[1, A]`; empty for discrete actions.
  public var logSigma: [Parameter]

  /// - Parameters:
  ///   - hidden: the units of each of the two hidden layers.
  ///   - initialSigma: the initial σ.
  public init(
    _ observations: Int, _ space: ActionSpace, hidden: Int, initialSigma: Double = 0.6, using random: inout Random
  ) {
    let size = space.networkSize
    self.space = space
    trunk = MultilayerPerceptron(observations, hidden: [hidden, hidden], size, outputGain: 0.1, using: &random)
    logSigma = space.isContinuous ? [Parameter(value: log(Tensor(repeating: initialSigma, [1, size])))] : []
  }

  /// The range of log σ. Outside of it, the gradient is 0.
  private static let (leastLogSigma, greatestLogSigma) = (-5.0, 2.0)

  /// log π(a|o) of actions `[B, A]` in [-1, 1], or indices `[B, 1]`: `[B, 1]`.
  public func logProbability(_ o: Tensor, of action: Tensor) -> Tensor {
    guard let gaussian = gaussian(o) else {
      return Categorical(logits: trunk(o)).logProbability(of: action.array.map { Int($0) })
    }
    return gaussian.logProbability(of: action)
  }

  /// The most probable action, `[B, A]`, or index, `[B, 1]`.
  public func mode(_ o: Tensor) -> Tensor { space.isContinuous ? tanh(trunk(o)) : trunk(o).indexOfLargest() }

  /// a ~ π(·|o), clipped to the box. No gradient.
  public func sample(_ o: Tensor, using random: inout Random) -> Tensor {
    guard let gaussian = gaussian(o) else {
      let choices = Categorical(logits: trunk(o)).sample(using: &random)
      return Tensor(choices.map(Float.init), [choices.count, 1])
    }
    return clamp(gaussian.sample(using: &random).detached, -1, 1)
  }

  /// The distribution in a box, `[B, A]`; nil for discrete actions.
  private func gaussian(_ o: Tensor) -> Gaussian? {
    guard let logSigma = logSigma.first?.value else { return nil }
    let mean = tanh(trunk(o))
    let spread = Tensor.zeros(mean.shape, mean.precision) + clamp(logSigma, Self.leastLogSigma, Self.greatestLogSigma)
    return Gaussian(mean: mean, logSigma: spread)
  }

  public mutating func visit(_ visitor: inout some ParameterVisitor) {
    visitor("trunk", &trunk)
    visitor("log_sigma", &logSigma)
  }
}
