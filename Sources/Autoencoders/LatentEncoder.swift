import Core
import Pixels
import Tensors

/// Everything between frames and an agent's latents: preparation, encoder and standardisation.
public struct LatentEncoder<Model: Autoencoder>: Sendable, Codable {
  public var model: Model
  public let preparation: FramePreparation
  /// The number of stacked frames S. The model's input channels are those of S frames, the oldest first.
  public let frameStack: Int
  /// The target that the decoder was trained to reconstruct.
  public let target: ReconstructionTarget
  /// The mean of each value of the latent on the pretraining data, `[Z]`.
  public private(set) var mean: Tensor
  /// The standard deviation of each value of the latent on the pretraining data, `[Z]`.
  public private(set) var deviation: Tensor
  /// The axes whose coordinates the agent gets; nil: it gets the standardised values of the latent.
  public private(set) var axes: LatentAxes?

  /// Creates an encoder whose latents are not standardised yet.
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
      "a latent of size \(model.latentSize) cannot be standardised with \(mean.shape) and \(deviation.shape)")
    self.model = model
    self.preparation = preparation
    self.frameStack = frameStack
    self.target = target
    self.mean = mean
    self.deviation = deviation
    self.axes = axes
  }

  /// The size of the latent that the agent gets, Z.
  public var latentSize: Int { axes?.count ?? model.latentSize }

  /// Returns standardised latents `[B, Z]` of B stacks of S frames, one after the other.
  public func encode(_ frames: [PixelBuffer]) -> Tensor { encode(prepared: prepare(frames)) }

  /// Returns B stacks of S frames, one after the other, as the model's input `[B, S C, H, W]`.
  public func prepare(_ frames: [PixelBuffer]) -> Tensor { stacked(preparation.prepare(frames)) }

  /// Returns the model's input for frames in any storage: `read` passes the bytes of frame b, of S `count`, to `body`, and
  /// `moving` writes its values.
  public func prepare(
    _ count: Int, _ read: ((Span<UInt8>) -> Void, Int) -> Void, moving: FrameMove? = nil
  ) -> Tensor {
    stacked(preparation.prepare(count * frameStack, read, moving: moving))
  }

  /// Reshapes prepared frames `[S B, C, H, W]` to `[B, S C, H, W]`, which has the same order in memory.
  private func stacked(_ x: Tensor) -> Tensor {
    frameStack == 1
      ? x : x.reshaped(x.shape[0] / frameStack, frameStack * x.shape[1], x.shape[2], x.shape[3])
  }

  /// Converts the newest frame of stack `index` of `[B, S C, H, W]` to an image.
  public func picture(of x: Tensor, at index: Int) -> PixelBuffer {
    let shape = preparation.shape
    let single = x.reshaped(x.shape[0] * frameStack, shape.channels, shape.height, shape.width)
    return preparation.picture(of: single, at: index * frameStack + frameStack - 1)
  }

  /// Returns standardised latents `[B, Z]` of prepared frames `[B, S C, H, W]`.
  public func encode(prepared x: Tensor) -> Tensor { standardized(model.encode(x)) }

  /// Returns reconstructions `[B, S C, H, W]` of prepared frames, from the part of the latent that the agent gets.
  public func reconstruct(prepared x: Tensor) -> Tensor {
    model.decode(asSeen(model.encode(x)))
  }

  /// Returns the part of the model's latents `[B, Z]` that the agent gets: all, or without what the axes omit.
  public func asSeen(_ z: Tensor) -> Tensor { axes == nil ? z : restored(standardized(z)) }

  /// Returns (z - mean) / deviation, or the coordinates along the axes.
  public func standardized(_ z: Tensor) -> Tensor {
    axes.map { $0.places(of: z - mean) } ?? (z - mean) / deviation
  }

  /// Returns the model's latents for standardised ones; an approximation if there are axes.
  public func restored(_ s: Tensor) -> Tensor { axes.map { $0.latents(at: s) + mean } ?? s * deviation + mean }

  /// Computes mean, deviation and, if requested, axes from raw latents `[N, Z]`. The deviation has a lower bound, so
  /// that values that barely vary are not amplified.
  ///
  /// - Parameter episodes: for smooth axes, the episode of each latent. At least one episode must have three or more
  ///   latents. Nil: no axes.
  public mutating func standardize(on latents: Tensor, alongAxesWithin episodes: [Int]? = nil) {
    mean = latents.mean(axis: 0)
    let spread = sqrt(square(latents - mean).mean(axis: 0))
    let floor = max(1e-6, 0.2 * spread.mean().item)
    deviation = maximum(spread, Tensor(repeating: floor, spread.shape))
    axes = episodes.map { LatentAxes(of: latents, episodes: $0) }
  }
}
