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
  // The agent's critic gives the first factor; its actor sees o as a constant, and so never moves the encoder.
  public mutating func learn(from lesson: Lesson, _ sight: BatchEncoding?) throws -> Metrics {
    if place.when == .eachUpdate { updates += 1 }
    guard let sight, optimizer != nil else { return [:] }
    var metrics: Metrics = [:]
    var gradient: Gradient?
    func add(_ share: Gradient) { gradient = gradient.map { $0 + share } ?? share }

    // The gradient of z, from everyone who looks at it, before one way back through the encoder.
    var latentGradient = sight.history.flatMap { history in
      lesson.observationGradient.map { history($0).tensors[0] ?? .zeros(sight.latents.shape) }
    }
    if place.teachers.contains(.reconstruction) {
      if sight.encoding == nil {
        add(reconstruct(sight, metrics: &metrics))
      } else {
        let (decoding, share) = reconstruct(from: sight, metrics: &metrics)
        add(decoding)
        latentGradient = latentGradient.map { $0 + share } ?? share
      }
    }
    if let encoding = sight.encoding, let latentGradient {
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

  /// The reconstruction from the latents that the agent was given: the gradient of the decoder, and that of the latents
  /// `[U, Z]`.
  private func reconstruct(from sight: BatchEncoding, metrics: inout Metrics) -> (Gradient, Tensor) {
    let reconstruction = ReconstructionLoss(of: sight.presentFrames, by: encoder, pretraining)
    var error = 0.0
    let (_, gradient, share) = valueWithGradient(at: encoder.model, and: sight.latents, isWanted: true) { model, s in
      let z = encoder.restored(s.selectingRows(sight.rows))  // [B, Z]
      let terms = reconstruction(model, from: z, z)
      error = terms.error.item
      return settings.reconstructionWeight * terms.loss
    }
    metrics["autoencoder/error"] = error
    return (gradient, share ?? .zeros(sight.latents.shape))
  }

  /// The reconstruction alone, through encoder and decoder.
  private func reconstruct(_ sight: BatchEncoding, metrics: inout Metrics) -> Gradient {
    let x = sight.presentFrames
    let reconstruction = ReconstructionLoss(of: x, by: encoder, pretraining)
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
}

extension BatchEncoding {
  /// The frames of the present, `[B, S C, H, W]`.
  fileprivate var presentFrames: Tensor {
    // One frame an observation, and each another: they lie there as they are.
    if rows == Array(0..<frames.shape[0]) { return frames }
    let flat = frames.reshaped(frames.shape[0], -1)
    let chosen = flat.gatheringRows(rows)
    return chosen.reshaped(rows.count, frames.shape[1], frames.shape[2], frames.shape[3])
  }
}
