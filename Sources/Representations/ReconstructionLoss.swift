import Autoencoders
import Tensors

/// The reconstruction loss in pretraining, in rounds and at an agent's updates: Σ w (x̂ - y)² / Σ w + λ(z).
///
/// x̂ is the reconstruction from the part of the latent z that the agent gets, y the target for the frame, λ the kind's
/// penalty. w is 1, or more for pixels that differ from the background or have a rare colour: a plain mean square ignores
/// small moving things.
struct ReconstructionLoss<Model: Autoencoder> {
  /// `[B, S C, H, W]`
  let target: Tensor
  let weights: Tensor

  /// - Parameter x: prepared frames `[B, S C, H, W]`.
  init(of x: Tensor, by encoder: LatentEncoder<Model>, _ settings: PretrainingSettings) {
    target = encoder.target(x)
    let changes = settings.changeWeights(x)
    weights =
      settings.colorBalance == 0
      ? changes : changes * encoder.preparation.colorWeights(x, exponent: settings.colorBalance)
  }

  /// - Parameters:
  ///   - model: the autoencoder.
  ///   - seen: the part of its latents `[B, Z]` that the agent gets.
  ///   - z: its latents `[B, Z]`, which are penalised.
  /// - Returns: the loss, its first term, and the reconstruction minus the target.
  func callAsFunction(_ model: Model, from seen: Tensor, _ z: Tensor) -> (
    loss: Tensor, error: Tensor, difference: Tensor
  ) {
    let difference = model.decode(seen) - target
    let error = meanSquared(difference, weights: weights)
    return (error + model.penalty(z), error, difference)
  }
}
