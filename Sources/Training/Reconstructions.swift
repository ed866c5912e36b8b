import Autoencoders
import Core
import Pixels
import Tensors

#if canImport(Glibc)
  import Glibc
#else
  import Foundation
#endif

/// How faithfully frames are drawn again, beside what the decoder was taught to draw.
public struct Reconstructions: Sendable {
  /// Peak signal-to-noise ratio in dB over all pixels.
  public let psnr: Double
  /// The same over the pixels that differ from the background: those that move.
  public let movingPSNR: Double
  /// The frames that are drawn worst, worst first.
  public let worst: [Int]
  /// The mean square error of each frame from its target, in (levels / 255)².
  public let errors: [Double]

  /// - Parameter threshold: the difference from the background, of 1, that counts as moving.
  public init<Model: Autoencoder>(
    of recording: Recording, by encoder: LatentEncoder<Model>, threshold: Float = 0.03
  ) {
    var (errors, moving, movingCount) = ([Double](), 0.0, 0)
    let size = encoder.preparation.shape.count
    for start in stride(from: 0, to: recording.count, by: 128) {
      let indices = Array(start..<min(start + 128, recording.count))
      let x = encoder.preparation.prepare(indices.count) { body, b in recording.withFrame(indices[b], body) }
      let drawn = encoder.reconstruct(prepared: x)
      let squares = square(drawn - encoder.target(x))
      errors += squares.reshaped(indices.count, size).mean(axis: 1).doubles
      x.withElements { x in
        squares.withElements { squares in
          for i in 0..<x.count where x[i] > threshold || x[i] < -threshold {
            moving += Double(squares[i])
            movingCount += 1
          }
        }
      }
    }
    self.errors = errors
    psnr = decibels(errors.reduce(0, +) / Double(max(errors.count, 1)))
    movingPSNR = decibels(moving / Double(max(movingCount, 1)))
    worst = errors.indices.sorted { errors[$0] > errors[$1] }
  }
}

extension LatentEncoder {
  /// The mean square error of each frame's reconstruction.
  func errors(of frames: [PixelBuffer]) -> [Double] {
    stride(from: 0, to: frames.count, by: 64).flatMap { start in
      let x = preparation.prepare(Array(frames[start..<min(start + 64, frames.count)]))
      return square(reconstruct(prepared: x) - target(x)).reshaped(x.shape[0], -1).mean(axis: 1).doubles
    }
  }
}

/// Rows of original | target | reconstruction | error; where the target is the frame itself, it is shown once.
public func reconstructionGrid<Model: Autoencoder>(
  of frames: [PixelBuffer], by encoder: LatentEncoder<Model>, captions: [String] = []
) -> PixelBuffer {
  let scale = max(1, 192 / frames[0].height)
  return ImageGrid(
    rows: encoder.comparisons(of: frames), columnCaptions: encoder.comparisonCaptions, rowCaptions: captions,
    scale: scale
  ).picture()
}

extension LatentEncoder {
  /// What stands in each row of `comparisons`.
  public var comparisonCaptions: [String] {
    (target.isFrame ? ["original"] : ["original", "target"]) + ["reconstruction", "error"]
  }

  /// For each frame, itself, the target where it is another, what is drawn, and the error.
  public func comparisons(of frames: [PixelBuffer]) -> [[PixelBuffer]] {
    let x = preparation.prepare(frames)
    let (target, drawn) = (target(x), reconstruct(prepared: x))
    return frames.indices.map { i in
      let wanted = preparation.picture(of: target, at: i)
      let again = preparation.picture(of: drawn, at: i)
      let given = self.target.isFrame ? [frames[i]] : [frames[i], wanted]
      return given + [again, PixelBuffer.errorMap(wanted, again)]
    }
  }
}

func decibels(_ meanSquare: Double) -> Double { meanSquare > 0 ? -10 * log10(meanSquare) : 99 }
