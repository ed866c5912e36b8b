import Core
import Networks
import Tensors

/// Reads from the latents of three frames in a row which two actions were taken between them: Pathak et al. 2017, arXiv
/// 1705.05363, eq. 2, over one step more.
///
/// An error of pixels counts pixels, and forgets what few of them show. This one asks for what actions move, however small:
/// who is to tell a torque must see how fast every joint turns. It teaches the encoder beside the reconstruction and is thrown
/// away with the decoder's last lesson; a frozen encoder does not know of it.
///
/// Letters: B batch, Z latent size, A size of an action.
public struct InverseDynamics: Module {
  /// Frames that are looked at together.
  public static let frames = 3
  /// A latent's change from frame to frame is small beside the latent.
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
  /// How badly the actions are read.
  ///
  /// - Parameters:
  ///   - latents: `[3B, Z]`, three frames in a row one after the other.
  ///   - actions: in the policy's units, those of the B first frames, then those of their successors.
  /// - Returns: a scalar.
  public func loss(_ latents: Tensor, actions: [Float]) -> Tensor {
    let batch = latents.shape[0] / Self.frames
    precondition(
      latents.shape[0] == Self.frames * batch && actions.count == 2 * batch * actionSpace.arrayCount,
      "latents \(latents.shape) of frames in threes with \(actions.count) numbers of actions")
    let read = network(Self.motion(of: latents))  // [B, 2A]
    let width = actionSpace.networkSize
    let half = batch * actionSpace.arrayCount
    let first = error(of: read.columns(0..<width), actions[..<half])
    let second = error(of: read.columns(width..<2 * width), actions[half...])
    return (first + second) * 0.5
  }

  /// `[3B, Z]` of three frames in a row one after the other to `[B, 3Z]`: the last latent, and how fast it came there.
  static func motion(of latents: Tensor) -> Tensor {
    let (batch, size) = (latents.shape[0] / frames, latents.shape[1])
    let z = (0..<frames).map { latents.reshaped(batch, frames * size).columns($0 * size..<($0 + 1) * size) }
    return concatenated(z[2], (z[2] - z[1]) * differenceScale, (z[1] - z[0]) * differenceScale)
  }

  private func error(of read: Tensor, _ actions: ArraySlice<Float>) -> Tensor {
    switch actionSpace {
    case .continuous: meanSquared(read - Tensor(Array(actions), read.shape))
    case .discrete: -Categorical(logits: read).logProbability(of: actions.map { Int($0) }).mean()
    }
  }

  public mutating func visit(_ visitor: inout some ParameterVisitor) { visitor("network", &network) }
}
