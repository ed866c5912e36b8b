import Autoencoders
import Core
import Tensors

/// The reconstruction loss in pretraining, in rounds and at an agent's updates: Σ w (x̂ - y)² / Σ w + λ(z).
///
/// x̂ is the reconstruction from the part of the latent z that the agent gets, with noise if the settings say so, y the
/// target for the frame, λ the kind's penalty. w is 1, or more for pixels that differ from the background or have a rare
/// colour: a plain mean square ignores small moving things.
struct ReconstructionLoss<Model: Autoencoder> {
  /// `[B, S C, H, W]`
  let target: Tensor
  let weights: Tensor
  private let noise: LatentNoise
  private var random: Random

  /// - Parameters:
  ///   - x: prepared frames `[B, S C, H, W]`.
  ///   - shifts: how each of the B rows is shifted; nil if none is.
  ///   - random: the generator of the noise. Without noise, no number is drawn.
  init(
    of x: Tensor, shifted shifts: [Shift]? = nil, by encoder: LatentEncoder<Model>, _ settings: PretrainingSettings,
    random: Random
  ) {
    target = encoder.target(x)
    let changes = settings.changeWeights(x)
    weights =
      settings.colorBalance == 0
      ? changes : changes * encoder.preparation.colorWeights(x, exponent: settings.colorBalance, shifts: shifts)
    (noise, self.random) = (settings.latentNoise, random)
  }

  /// - Parameters:
  ///   - model: the autoencoder.
  ///   - seen: the part of its latents `[B, Z]` that the agent gets.
  ///   - z: its latents `[B, Z]`, which are penalised.
  /// - Returns: the loss, its first term, and the reconstruction minus the target.
  mutating func callAsFunction(_ model: Model, from seen: Tensor, _ z: Tensor) -> (
    loss: Tensor, error: Tensor, difference: Tensor
  ) {
    let difference = model.decode(noise(seen, using: &random)) - target
    let error = meanSquared(difference, weights: weights)
    return (error + model.penalty(z), error, difference)
  }

  /// Returns the error of the frames `rows`, decoded from predictions of their latents.
  ///
  /// - Parameter seen: the part of the predicted latents that the agent gets, `[rows, Z]`.
  mutating func error(_ model: Model, from seen: Tensor, of rows: [Int]) -> Tensor {
    func chosen(_ frames: Tensor) -> Tensor {
      var shape = frames.shape
      shape[0] = rows.count
      return frames.reshaped(frames.shape[0], -1).gatheringRows(rows).reshaped(shape)
    }
    return meanSquared(model.decode(noise(seen, using: &random)) - chosen(target), weights: chosen(weights))
  }
}
