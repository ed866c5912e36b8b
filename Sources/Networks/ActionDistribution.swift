import Core
import Tensors

/// A stochastic policy's distribution over the next action, one row per observation: categorical, or a tanh-Gaussian in
/// a box.
public enum ActionDistribution: Sendable {
  case discrete(Categorical)
  case continuous(TanhGaussian)

  /// Actions `[B, A]` in the policy's units. No gradient.
  public func sample(using random: inout Random) -> Tensor {
    switch self {
    case .discrete(let choices): column(choices.sample(using: &random))
    case .continuous(let box): box.sample(using: &random).action.detached
    }
  }

  /// The most probable choice, which has no gradient, or the action without noise: `[B, A]`.
  public var mode: Tensor {
    switch self {
    case .discrete(let choices): choices.mode
    case .continuous(let box): box.mode
    }
  }

  /// log π(a|o) of actions `[B, A]`: `[B, 1]`.
  public func logProbability(of action: Tensor) -> Tensor {
    switch self {
    case .discrete(let choices): choices.logProbability(of: action.array.map { Int($0) })
    case .continuous(let box): box.logProbability(of: action)
    }
  }

  /// The entropy of the categorical distribution or, in a box, of the Gaussian before the tanh: `[B, 1]`.
  public var entropy: Tensor {
    switch self {
    case .discrete(let choices): choices.entropy
    case .continuous(let box): box.gaussian.entropy
    }
  }

  /// D(π‖π′) = E_π[log π − log π′], `[B, 1]`. The tanh of both does not change it.
  public func divergence(to other: ActionDistribution) -> Tensor {
    switch (self, other) {
    case (.discrete(let p), .discrete(let q)):
      return (p.probabilities * (p.logProbabilities - q.logProbabilities)).sum(axis: -1, keepingAxis: true)
    case (.continuous(let p), .continuous(let q)):
      // Σ (log σ′ − log σ + (σ² + (μ − μ′)²) / 2σ′² − ½)
      let (p, q) = (p.gaussian, q.gaussian)
      let spread = exp(2 * p.logSigma) + square(p.mean - q.mean)
      return (q.logSigma - p.logSigma + 0.5 * spread * exp(-2 * q.logSigma) - 0.5).sum(axis: -1, keepingAxis: true)
    default: preconditionFailure("the divergence of a categorical distribution and a tanh-Gaussian is not defined")
    }
  }

  private func column(_ choices: [Int]) -> Tensor { Tensor(choices.map(Float.init), [choices.count, 1]) }
}
