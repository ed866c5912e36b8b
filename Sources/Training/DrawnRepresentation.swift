import Autoencoders
import Core
import Formats
import Pixels
import Representations

/// A representation with an encoder of any kind: what inspection and saving need of it.
protocol EncodedRepresentation {
  var drawing: any LatentDrawing { get }
  /// Whether the decoder was ever trained, so that its reconstructions mean something.
  var hasTrainedDecoder: Bool { get }
  var hasMoved: Bool { get }
  func writeEncoder(to folder: String) throws
}

extension EncodedFrames: EncodedRepresentation {
  var drawing: any LatentDrawing { encoder }
  func writeEncoder(to folder: String) throws { try encoder.write(to: folder) }
}

extension Representation {
  /// The encoder for inspection; nil for the true state.
  var drawing: (any LatentDrawing)? { (self as? any EncodedRepresentation)?.drawing }

  /// The encoder for inspection, if its decoder was trained; otherwise nil.
  var trainedDecoder: (any LatentDrawing)? {
    guard let encoded = self as? any EncodedRepresentation, encoded.hasTrainedDecoder else { return nil }
    return encoded.drawing
  }

  /// Writes the encoder into a run directory, if it has changed since the run began.
  func write(to folder: String) throws {
    guard let encoded = self as? any EncodedRepresentation, encoded.hasMoved else { return }
    try encoded.writeEncoder(to: folder)
  }

  /// Draws rows of original | reconstruction | error for frames of an episode, the worst frame last. Returns nil if
  /// there is no trained decoder.
  func reconstructions(of frames: [PixelBuffer]) -> PixelBuffer? {
    guard let drawing = trainedDecoder else { return nil }
    let stacks = frameStacks(of: frames)
    let errors = drawing.errors(of: stacks.flatMap { $0 })
    let worst = errors.indices.max { errors[$0] < errors[$1] } ?? 0
    let shown = (0..<5).map { $0 * (frames.count - 1) / 4 } + [worst]
    return drawing.grid(
      of: shown.flatMap { stacks[$0] }, captions: shown.dropLast().map { "\($0)" } + ["worst \(worst)"])
  }

  /// Returns the frame stack of each frame of an episode.
  private func frameStacks(of frames: [PixelBuffer]) -> [[PixelBuffer]] {
    frames.indices.map { i in (0..<frameStack).reversed().map { frames[max(0, i - $0)] } }
  }
}
