import Autoencoders
import Tensors

/// How badly frames are drawn again, in pretraining, in rounds and beside an agent's updates: Σ w (x̂ - y)² / Σ w + λ(z).
///
/// x̂ is drawn from what the agent is given of the latent z, y is the target for the frame, λ the kind's penalty. w is 1, or
/// more for pixels that differ from the background: a plain mean square forgets small things that move.
struct ReconstructionLoss<Model: Autoencoder> {
  /// `[B, S C, H, W]`
  let target: Tensor
  let weights: Tensor

  /// - Parameter x: prepared frames `[B, S C, H, W]`.
  init(of x: Tensor, by encoder: LatentEncoder<Model>, _ settings: PretrainingSettings) {
    target = encoder.target(x)
    weights = settings.changeWeights(x)
  }

  /// - Parameters:
  ///   - model: that draws.
  ///   - seen: its latents `[B, Z]` as far as the agent is given them.
  ///   - z: its latents `[B, Z]`, which are penalised.
  /// - Returns: the loss, its first term, and what is drawn less the target.
  func callAsFunction(_ model: Model, from seen: Tensor, _ z: Tensor) -> (
    loss: Tensor, error: Tensor, difference: Tensor
  ) {
    let difference = model.decode(seen) - target
    let error = meanSquared(difference, weights: weights)
    return (error + model.penalty(z), error, difference)
  }
}
