import Core
import Tensors

/// Noise on the latents that the decoder gets, so that a reconstruction cannot rest on one value, or on small differences
/// of one: Gaussian noise, and dropout (Srivastava et al. 2014). The agent's latents have none.
///
/// Letters: B batch, Z latent size.
public struct LatentNoise: Sendable, Hashable, Codable {
  /// The standard deviation of the noise σ, where latents lie between -1 and 1.
  public var deviation = 0.0
  /// The probability p that a value is dropped.
  public var dropout = 0.0

  /// Adds noise to latents `[B, Z]`. A dropped value becomes its mean over the batch: zero would be a position too, and
  /// the usual factor 1 / (1 - p) on the other values would move keypoints.
  // z̃ = m (z + σ ε) + (1 - m) z̄,  ε ~ N(0, 1),  m ~ Bernoulli(1 - p)
  func callAsFunction(_ z: Tensor, using random: inout Random) -> Tensor {
    var noisy = z
    if deviation > 0 {
      noisy = z + Tensor((0..<z.shape.count).map { _ in Float(deviation * random.normal()) }, z.shape)
    }
    guard dropout > 0 else { return noisy }
    let kept = Tensor((0..<z.shape.count).map { _ in random.chance(dropout) ? 0 : 1 as Float }, z.shape)
    let mean = z.detached.mean(axis: 0).reshaped(1, z.shape[1])
    return kept * noisy + (1 - kept) * mean
  }
}
