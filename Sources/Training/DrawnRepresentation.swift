import Autoencoders
import Core
import Formats
import Pixels
import Representations

/// A representation by an encoder of whatever kind, as far as one looks into it or writes it down.
protocol EncodedRepresentation {
  var drawing: any LatentDrawing { get }
  /// Whether what the decoder draws means anything: it was taught, at some time.
  var hasTaughtDecoder: Bool { get }
  var hasMoved: Bool { get }
  func writeEncoder(to folder: String) throws
}

extension EncodedFrames: EncodedRepresentation {
  var drawing: any LatentDrawing { encoder }
  func writeEncoder(to folder: String) throws { try encoder.write(to: folder) }
}

extension Representation {
  /// The encoder as one looks into it; nil for the true state.
  var drawing: (any LatentDrawing)? { (self as? any EncodedRepresentation)?.drawing }

  /// The same where its decoder draws what means something.
  var taughtDrawing: (any LatentDrawing)? {
    guard let encoded = self as? any EncodedRepresentation, encoded.hasTaughtDecoder else { return nil }
    return encoded.drawing
  }

  /// Writes the encoder into a run's folder, where it is not what the run began with.
  func write(to folder: String) throws {
    guard let encoded = self as? any EncodedRepresentation, encoded.hasMoved else { return }
    try encoded.writeEncoder(to: folder)
  }

  /// Rows of original | reconstruction | error for the frames of an episode, the worst of them last; nil where nothing is
  /// reconstructed.
  func reconstructions(of frames: [PixelBuffer]) -> PixelBuffer? {
    guard let drawing = taughtDrawing else { return nil }
    let stacks = frameStacks(of: frames)
    let errors = drawing.errors(of: stacks.flatMap { $0 })
    let worst = errors.indices.max { errors[$0] < errors[$1] } ?? 0
    let shown = (0..<5).map { $0 * (frames.count - 1) / 4 } + [worst]
    return drawing.grid(
      of: shown.flatMap { stacks[$0] }, captions: shown.dropLast().map { "\($0)" } + ["worst \(worst)"])
  }

  /// Each frame of an episode with those before it, as many as are seen together.
  private func frameStacks(of frames: [PixelBuffer]) -> [[PixelBuffer]] {
    frames.indices.map { i in (0..<frameStack).reversed().map { frames[max(0, i - $0)] } }
  }
}
