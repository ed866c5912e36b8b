import Core
import Tensors

extension ActionDistribution {
  /// The number of network outputs for one distribution, if the network outputs the deviations too.
  public static func outputSize(for space: ActionSpace) -> Int {
    space.isContinuous ? 2 * space.networkSize : space.networkSize
  }

  /// Creates the distributions from a network's output: `[B, 2A]` means and raw log σ, or `[B, A]` logits.
  ///
  /// - Parameter logSigma: the range of log σ before the tanh.
  public init(_ output: Tensor, over space: ActionSpace, logSigma: ClosedRange<Double> = -5...2) {
    self =
      space.isContinuous
      ? .continuous(TanhGaussian(output, logSigma: logSigma)) : .discrete(Categorical(logits: output))
  }

  /// An action for each row, as a constant, with what its probability is computed from.
  public struct Draw: Sendable {
    /// `[B, A]` within [-1, 1], or `[B, 1]` indices.
    public let action: Tensor
    /// u with tanh(u) the action, because a saturated tanh loses information; or the indices.
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

  /// log π(a|o) of one action per row, drawn by this or another distribution: `[B, 1]`.
  public func logProbability(of draw: Draw) -> Tensor {
    switch self {
    case .continuous(let box): box.logProbability(ofTanhOf: draw.source)
    case .discrete: logProbability(of: draw.action)
    }
  }
}
