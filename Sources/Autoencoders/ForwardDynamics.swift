import Core
import Networks
import Tensors

/// Predicts the latent of the next frame from those of two consecutive frames and the action that follows them.
///
/// The decoder draws the next frame from the prediction. The error of this drawing trains decoder, prediction and encoder
/// together, as in action-conditional video prediction (Oh et al. 2015, arXiv 1507.08750): what moves by the action must
/// then be in the latents, with what its motion depends on. The network is discarded after training, like
/// `InverseDynamics`.
///
/// Letters: B batch, Z latent size, A size of an action as a network's input.
public struct ForwardDynamics: Module {
  let actionSpace: ActionSpace
  var network: MultilayerPerceptron

  public init(latentSize: Int, actionSpace: ActionSpace, using random: inout Random) {
    self.actionSpace = actionSpace
    network = MultilayerPerceptron(
      2 * latentSize + actionSpace.networkSize, hidden: [128, 128], latentSize, using: &random)
  }

  // ẑ_t+1 = z_t + (z_t - z_t-1) + f(z_t, κ (z_t - z_t-1), a_t) / κ,  κ as in `InverseDynamics`
  /// Returns the predicted latents of the last frames, `[B, Z]`. The network only corrects constant motion.
  ///
  /// - Parameters:
  ///   - latents: `[3B, Z]`, groups of three consecutive frames. The last one of each group is not used.
  ///   - actions: those of the second frames of the B groups, in the policy's units.
  public func callAsFunction(_ latents: Tensor, actions: ArraySlice<Float>) -> Tensor {
    let (frames, size) = (InverseDynamics.frames, latents.shape[1])
    let batch = latents.shape[0] / frames
    precondition(
      latents.shape[0] == frames * batch && actions.count == batch * actionSpace.arrayCount,
      "latents \(latents.shape) of groups of three frames with \(actions.count) action values")
    let groups = latents.reshaped(batch, frames * size)
    let (before, now) = (groups.columns(0..<size), groups.columns(size..<2 * size))
    let change = now - before
    let width = actionSpace.arrayCount
    let inputs = stride(from: actions.startIndex, to: actions.endIndex, by: width).flatMap {
      actionSpace.networkInput(of: actions[$0..<$0 + width])
    }
    let a = Tensor(inputs, [batch, actionSpace.networkSize])
    let input = concatenated(now, change * InverseDynamics.differenceScale, a)
    return now + change + network(input) / InverseDynamics.differenceScale
  }

  public mutating func visit(_ visitor: inout some ParameterVisitor) { visitor("network", &network) }
}
