import Autoencoders
import Core
import Pixels
import Representations
import Tensors

/// An autoencoder of any kind, as inspection uses it.
public protocol LatentDrawing: Sendable {
  /// The dimension of a latent, Z.
  var latentSize: Int { get }
  /// Returns the standardised latents `[N, Z]` of all recorded frames.
  func latents(of recording: Recording) -> Tensor
  /// Decodes standardised latents `[N, Z]` to images.
  func drawings(of latents: Tensor) -> [PixelBuffer]
  /// The captions of the images that `comparisons` returns for a frame.
  var comparisonCaptions: [String] { get }
  /// Returns, for each frame: the frame, the frame with its keypoints if there are any, the target if it differs from
  /// the frame, the reconstruction, and the error. All are RGB, each pixel as a block of `scale` by `scale`.
  func comparisons(of frames: [PixelBuffer], magnifiedBy scale: Int) -> [[PixelBuffer]]
  /// Returns the keypoints of frames as fractions of the frame, or nil if the autoencoder has none.
  func keypoints(of frames: [PixelBuffer]) -> [[Point]]?
  /// Returns the mean square error of each stack's reconstruction.
  func errors(of frames: [PixelBuffer]) -> [Double]
  /// Draws the images of `comparisons` as rows, with captions and a scale of the errors.
  func grid(of frames: [PixelBuffer], captions: [String]) -> PixelBuffer
  /// The number of stacked frames, S. All parameters named `frames` are stacks of S, the oldest first.
  var frameStack: Int { get }
  /// Measures how well recorded frames are reconstructed. A pixel that differs from the background by more than
  /// `threshold`, of at most 1, counts as moving.
  func reconstructions(of recording: Recording, threshold: Float) -> Reconstructions
  /// Trains the state probe and returns it with the held-out frames.
  func probe(
    on origin: some FrameOrigin, _ pretraining: PretrainingSettings, seed: Seed
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

  public func reconstructions(of recording: Recording, threshold: Float) -> Reconstructions {
    Reconstructions(of: recording, by: self, threshold: threshold)
  }

  public func probe(
    on origin: some FrameOrigin, _ pretraining: PretrainingSettings, seed: Seed
  ) throws -> (probe: StateProbe, heldOut: Recording) {
    try origin.probe(self, pretraining, seed: seed)
  }
}

extension AutoencoderRecord {
  /// Reads the autoencoder of a folder, of any kind.
  ///
  /// - Throws: `WorldError` with the path if the file is damaged or does not fit this record; `InputError` if it has no
  ///   decoder.
  func drawing(in folder: String) throws -> any LatentDrawing {
    func open<Model: Autoencoder>(_ kind: Model.Type) throws -> any LatentDrawing {
      try Model.requireDecoder()
      return try LatentEncoder<Model>(folder: folder, record: self)
    }
    return try open(try Autoencoders.named(kind))
  }
}
