import Core
import Networks
import Tensors

/// Predicts the two actions that were taken between three consecutive frames from their latents: Pathak et al. 2017,
/// arXiv 1705.05363, eq. 2, with one more step.
///
/// A pixel error ignores things that cover few pixels. This loss makes the encoder represent what actions move, however
/// small: to predict a torque, the latents must contain the velocity of every joint. It trains the encoder together
/// with the reconstruction, and is discarded after training.
///
/// Letters: B batch, Z latent size, A size of an action.
public struct InverseDynamics: Module {
  /// The number of consecutive frames.
  public static let frames = 3
  /// κ. The change of a latent from frame to frame is small compared to the latent.
  static let differenceScale = 20.0

  let actionSpace: ActionSpace
  var network: MultilayerPerceptron

  public init(latentSize: Int, actionSpace: ActionSpace, using random: inout Random) {
    self.actionSpace = actionSpace
    network = MultilayerPerceptron(
      Self.frames * latentSize, hidden: [128, 128], 2 * actionSpace.networkSize, using: &random)
  }

  // â = f(z_t+2, κ (z_t+2 - z_t+1), κ (z_t+1 - z_t)),  the two actions that led from z_t to z_t+2
  // L = mean |â - a|², or of discrete actions -mean log p_f(a)                              Pathak 2017, eq. 3
  /// Returns the prediction error of the actions.
  ///
  /// - Parameters:
  ///   - latents: `[3B, Z]`, groups of three consecutive frames.
  ///   - actions: in the policy's units, those of the first frames of the B groups, then those of the second frames.
  /// - Returns: a scalar.
  public func loss(_ latents: Tensor, actions: [Float]) -> Tensor {
    let batch = latents.shape[0] / Self.frames
    precondition(
      latents.shape[0] == Self.frames * batch && actions.count == 2 * batch * actionSpace.arrayCount,
      "latents \(latents.shape) of groups of three frames with \(actions.count) action values")
    let predicted = network(Self.motion(of: latents))  // [B, 2A]
    let width = actionSpace.networkSize
    let half = batch * actionSpace.arrayCount
    let first = error(of: predicted.columns(0..<width), actions[..<half])
    let second = error(of: predicted.columns(width..<2 * width), actions[half...])
    return (first + second) * 0.5
  }

  /// Maps latents `[3B, Z]` of groups of three consecutive frames to `[B, 3Z]`: the last latent and its scaled
  /// differences.
  static func motion(of latents: Tensor) -> Tensor {
    let (batch, size) = (latents.shape[0] / frames, latents.shape[1])
    let z = (0..<frames).map { latents.reshaped(batch, frames * size).columns($0 * size..<($0 + 1) * size) }
    return concatenated(z[2], (z[2] - z[1]) * differenceScale, (z[1] - z[0]) * differenceScale)
  }

  private func error(of predicted: Tensor, _ actions: ArraySlice<Float>) -> Tensor {
    switch actionSpace {
    case .continuous: meanSquared(predicted - Tensor(Array(actions), predicted.shape))
    case .discrete: -Categorical(logits: predicted).logProbability(of: actions.map { Int($0) }).mean()
    }
  }

  public mutating func visit(_ visitor: inout some ParameterVisitor) { visitor("network", &network) }
}
