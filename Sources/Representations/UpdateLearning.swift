import Agents
import Autoencoders
import Core
import Networks
import Replay
import Tensors

// Learning at each update of the agent: from the critic, from the reconstruction, or from both.

extension EncodedFrames {
  // ∂J/∂θ = ∂J_Q/∂o · ∂o/∂z · ∂z/∂θ + w ∂J_AE/∂θ,  J_AE = Σ w (x̂ - x)² / Σ w + λ(z)           Yarats 2019, eq. 4
  //
  // The first factor comes from the agent's critic. For the actor o is a constant, so it never changes the encoder.
  public mutating func learn(from lesson: Lesson, _ batch: BatchEncoding?) throws -> Metrics {
    if place.when == .eachUpdate { updates += 1 }
    guard let batch, optimizer != nil else { return [:] }
    var metrics: Metrics = [:]
    var gradient: Gradient?
    func add(_ share: Gradient) { gradient = gradient.map { $0 + share } ?? share }

    // Sums the gradients of z from all losses, so that there is only one backward pass through the encoder.
    var latentGradient = batch.history.flatMap { history in
      lesson.observationGradient.map { history($0).tensors[0] ?? .zeros(batch.latents.shape) }
    }
    if place.losses.contains(.reconstruction) {
      if batch.encoding == nil {
        add(reconstruct(batch, metrics: &metrics))
      } else {
        let (decoding, share) = reconstruct(from: batch, metrics: &metrics)
        add(decoding)
        latentGradient = latentGradient.map { $0 + share } ?? share
      }
    }
    if let encoding = batch.encoding, let latentGradient {
      metrics["encoder/gradient"] = (square(latentGradient).sum().item).squareRoot()
      add(encoding(latentGradient))
    }
    guard let gradient else { return metrics }
    optimizer?.update(&encoder.model, along: gradient)
    if var following = target {
      following.blend(toward: encoder.model, rate: settings.tau)
      target = following
    }
    revision += 1
    return metrics
  }

  /// Computes the reconstruction loss from the agent's latents: returns the gradient of the decoder, and that of the
  /// latents `[U, Z]`.
  private func reconstruct(from batch: BatchEncoding, metrics: inout Metrics) -> (Gradient, Tensor) {
    var reconstruction = reconstructionLoss(of: batch.presentFrames, shifted: batch.shifts)
    var error = 0.0
    let (_, gradient, share) = valueWithGradient(at: encoder.model, and: batch.latents, isWanted: true) { model, s in
      let z = encoder.restored(s.selectingRows(batch.rows))  // [B, Z]
      let terms = reconstruction(model, from: z, z)
      error = terms.error.item
      return settings.reconstructionWeight * terms.loss
    }
    metrics["autoencoder/error"] = error
    return (gradient, share ?? .zeros(batch.latents.shape))
  }

  /// Computes the reconstruction loss through encoder and decoder, and returns its gradient.
  private func reconstruct(_ batch: BatchEncoding, metrics: inout Metrics) -> Gradient {
    let x = batch.presentFrames
    var reconstruction = reconstructionLoss(of: x, shifted: batch.shifts)
    var error = 0.0
    let (_, gradient) = valueWithGradient(at: encoder.model) { model in
      let z = model.encode(x)
      let terms = reconstruction(model, from: encoder.asSeen(z), z)
      error = terms.error.item
      return settings.reconstructionWeight * terms.loss
    }
    metrics["autoencoder/error"] = error
    return gradient
  }

  private func reconstructionLoss(of x: Tensor, shifted shifts: [Shift]?) -> ReconstructionLoss<Model> {
    ReconstructionLoss(
      of: x, shifted: shifts, by: encoder, pretraining, random: seed.child("latent noise").stream("\(updates)"))
  }
}

extension BatchEncoding {
  /// The newest frames of the observations, `[B, S C, H, W]`.
  fileprivate var presentFrames: Tensor {
    // With one frame per observation, and no frame twice, they are already in order.
    if rows == Array(0..<frames.shape[0]) { return frames }
    let flat = frames.reshaped(frames.shape[0], -1)
    let chosen = flat.gatheringRows(rows)
    return chosen.reshaped(rows.count, frames.shape[1], frames.shape[2], frames.shape[3])
  }
}
