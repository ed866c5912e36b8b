import Core
import Pixels
import Tensors

/// The frozen half that an agent looks through: preparation, encoder, standardisation, in one value.
public struct LatentEncoder<Model: Autoencoder>: Sendable, Codable {
  public var model: Model
  public let preparation: FramePreparation
  /// Frames that the model sees together, S: its channels are those of S frames, the oldest first.
  public let frameStack: Int
  /// What the decoder was taught to draw.
  public let target: ReconstructionTarget
  /// Mean and standard deviation of each number of the latent on the pretraining data, `[Z]`.
  public private(set) var mean: Tensor
  public private(set) var deviation: Tensor
  /// What the agent is given of the latent in place of its standardised numbers; nil: these.
  public private(set) var axes: LatentAxes?

  /// An encoder whose latents are not standardised yet.
  public init(model: Model, preparation: FramePreparation, frameStack: Int = 1, target: ReconstructionTarget) {
    self.init(
      model: model, preparation: preparation, frameStack: frameStack, target: target, mean: .zeros([model.latentSize]),
      deviation: Tensor(repeating: 1, [model.latentSize]))
  }

  public init(
    model: Model, preparation: FramePreparation, frameStack: Int = 1, target: ReconstructionTarget, mean: Tensor,
    deviation: Tensor, axes: LatentAxes? = nil
  ) {
    precondition(
      mean.shape == [model.latentSize] && deviation.shape == mean.shape,
      "standardisation of a latent of \(model.latentSize) by \(mean.shape) and \(deviation.shape)")
    self.model = model
    self.preparation = preparation
    self.frameStack = frameStack
    self.target = target
    self.mean = mean
    self.deviation = deviation
    self.axes = axes
  }

  /// Numbers that the agent is given, Z.
  public var latentSize: Int { axes?.count ?? model.latentSize }

  /// Standardised latents `[B, Z]` of B stacks of S frames, one after the other.
  public func encode(_ frames: [PixelBuffer]) -> Tensor { encode(prepared: prepare(frames)) }

  /// B stacks of S frames, one after the other, as the model takes them: `[B, S C, H, W]`.
  public func prepare(_ frames: [PixelBuffer]) -> Tensor { stacked(preparation.prepare(frames)) }

  /// The same of frames whose bytes lie anywhere: `read` hands the bytes of frame b, of S `count`, to `body`.
  public func prepare(_ count: Int, _ read: ((Span<UInt8>) -> Void, Int) -> Void) -> Tensor {
    stacked(preparation.prepare(count * frameStack, read))
  }

  /// Prepared frames `[S B, C, H, W]` as `[B, S C, H, W]`: they lie in memory in that order.
  private func stacked(_ x: Tensor) -> Tensor {
    frameStack == 1
      ? x : x.reshaped(x.shape[0] / frameStack, frameStack * x.shape[1], x.shape[2], x.shape[3])
  }

  /// The newest frame of stack `index` of `[B, S C, H, W]` as a picture.
  public func picture(of x: Tensor, at index: Int) -> PixelBuffer {
    let shape = preparation.shape
    let single = x.reshaped(x.shape[0] * frameStack, shape.channels, shape.height, shape.width)
    return preparation.picture(of: single, at: index * frameStack + frameStack - 1)
  }

  /// Standardised latents `[B, Z]` of prepared frames `[B, S C, H, W]`.
  public func encode(prepared x: Tensor) -> Tensor { standardized(model.encode(x)) }

  /// Reconstructions `[B, S C, H, W]` of prepared frames, from what the agent is given.
  public func reconstruct(prepared x: Tensor) -> Tensor {
    model.decode(asSeen(model.encode(x)))
  }

  /// The model's latents `[B, Z]` as far as the agent is given them: whole, or without what its axes leave out.
  public func asSeen(_ z: Tensor) -> Tensor { axes == nil ? z : restored(standardized(z)) }

  /// (z - mean) / deviation, or the places along the axes.
  public func standardized(_ z: Tensor) -> Tensor {
    axes.map { $0.places(of: z - mean) } ?? (z - mean) / deviation
  }

  /// The model's latents, as far as standardised ones tell them.
  public func restored(_ s: Tensor) -> Tensor { axes.map { $0.latents(at: s) + mean } ?? s * deviation + mean }

  /// Takes mean, deviation and, if wanted, axes from raw latents `[N, Z]`. A number that hardly moves is not blown up.
  ///
  /// - Parameter episodes: for smooth axes, the episode of each latent, of which one has three or more; nil: without axes.
  public mutating func standardize(on latents: Tensor, alongAxesWithin episodes: [Int]? = nil) {
    mean = latents.mean(axis: 0)
    let spread = sqrt(square(latents - mean).mean(axis: 0))
    let floor = max(1e-6, 0.2 * spread.mean().item)
    deviation = maximum(spread, Tensor(repeating: floor, spread.shape))
    axes = episodes.map { LatentAxes(of: latents, episodes: $0) }
  }
}
