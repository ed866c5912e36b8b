import Core
import Tensors

extension ActionDistribution {
  /// Numbers of a network's output that speak of one distribution, where it gives the deviations too.
  public static func outputSize(for space: ActionSpace) -> Int {
    space.isContinuous ? 2 * space.networkSize : space.networkSize
  }

  /// The distributions that a network's output speaks of: `[B, 2A]` means and raw log σ, or `[B, A]` logits.
  ///
  /// - Parameter logSigma: the range of log σ before the tanh.
  public init(_ output: Tensor, over space: ActionSpace, logSigma: ClosedRange<Double> = -5...2) {
    self =
      space.isContinuous
      ? .continuous(TanhGaussian(output, logSigma: logSigma)) : .discrete(Categorical(logits: output))
  }

  /// An action for each row, as a constant, with what its probability is told from.
  public struct Draw: Sendable {
    /// `[B, A]` within [-1, 1], or `[B, 1]` indices.
    public let action: Tensor
    /// u with tanh(u) the action, since the tanh forgets where it saturates; the indices themselves.
    fileprivate let source: Tensor
  }

  public func draw(using random: inout Random) -> Draw {
    switch self {
    case .continuous(let box):
      let u = box.gaussian.sample(using: &random).detached
      return Draw(action: tanh(u), source: u)
    case .discrete:
      let choices = sample(using: &random)
      return Draw(action: choices, source: choices)
    }
  }

  /// log π(a|o) of an action for each row that this or another distribution drew: `[B, 1]`.
  public func logProbability(of draw: Draw) -> Tensor {
    switch self {
    case .continuous(let box): box.logProbability(ofTanhOf: draw.source)
    case .discrete: logProbability(of: draw.action)
    }
  }
}
