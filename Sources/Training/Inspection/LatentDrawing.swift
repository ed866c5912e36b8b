import Autoencoders
import Core
import Environments
import Pixels
import Representations
import Tensors

/// An autoencoder of whatever kind, as far as one looks into it.
public protocol LatentDrawing: Sendable {
  /// Numbers of a latent, Z.
  var latentSize: Int { get }
  /// Standardised latents `[N, Z]` of all recorded frames.
  func latents(of recording: Recording) -> Tensor
  /// What the decoder draws for standardised latents `[N, Z]`.
  func drawings(of latents: Tensor) -> [PixelBuffer]
  /// What stands in each row of `comparisons`.
  var comparisonCaptions: [String] { get }
  /// For each frame, itself, its keypoints over it where there are any, the target where it is another, what is drawn,
  /// and the error: RGB, each pixel as a block of `scale` by `scale`.
  func comparisons(of frames: [PixelBuffer], magnifiedBy scale: Int) -> [[PixelBuffer]]
  /// Where the keypoints of frames lie, as parts of the frame; nil where the autoencoder has none.
  func keypoints(of frames: [PixelBuffer]) -> [[Point]]?
  /// The mean square error of each stack's reconstruction.
  func errors(of frames: [PixelBuffer]) -> [Double]
  /// Rows of what `comparisons` shows, with captions and a scale of the errors.
  func grid(of frames: [PixelBuffer], captions: [String]) -> PixelBuffer
  /// Frames that are seen together, S: whatever takes frames takes stacks of S, the oldest first.
  var frameStack: Int { get }
  /// How faithfully recorded frames are drawn again.
  func reconstructions(of recording: Recording) -> Reconstructions
  /// Probes it on episodes of random play, which are returned too.
  func probe(
    in environment: some Environment, _ episode: EpisodeSettings, _ collection: CollectionSettings, frames: Int,
    steps: Int, seed: Seed
  ) throws -> (probe: StateProbe, heldOut: Recording)
}

extension LatentEncoder: LatentDrawing {
  public func latents(of recording: Recording) -> Tensor { encodeAll(recording) }

  public func drawings(of latents: Tensor) -> [PixelBuffer] {
    stride(from: 0, to: latents.shape[0], by: 64).flatMap { start in
      let z = latents.rows(start..<min(start + 64, latents.shape[0]))
      let drawn = model.decode(restored(z))
      return (0..<z.shape[0]).map { picture(of: drawn, at: $0) }
    }
  }

  public func grid(of frames: [PixelBuffer], captions: [String]) -> PixelBuffer {
    reconstructionGrid(of: frames, by: self, captions: captions)
  }

  public func reconstructions(of recording: Recording) -> Reconstructions { Reconstructions(of: recording, by: self) }

  public func probe(
    in environment: some Environment, _ episode: EpisodeSettings, _ collection: CollectionSettings, frames: Int,
    steps: Int, seed: Seed
  ) throws -> (probe: StateProbe, heldOut: Recording) {
    try StateProbe.judge(self, in: environment, episode, collection, frames: frames, steps: steps, seed: seed)
  }
}

extension AutoencoderRecord {
  /// The autoencoder of a folder, whatever its kind.
  ///
  /// - Throws: `WorldError` with the path where the file is damaged or does not fit this record; `InputError` where it has no
  ///   decoder.
  func drawing(in folder: String) throws -> any LatentDrawing {
    func open<Model: Autoencoder>(_ kind: Model.Type) throws -> any LatentDrawing {
      try Model.requireDecoder()
      return try LatentEncoder<Model>(folder: folder, record: self)
    }
    return try open(try Autoencoders.named(kind))
  }
}
