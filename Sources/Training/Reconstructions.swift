import Autoencoders
import Core
import Pixels
import Representations
import Tensors

#if canImport(Glibc)
  import Glibc
#else
  import Foundation
#endif

/// The reconstruction errors of frames, against the decoder's target.
public struct Reconstructions: Sendable {
  /// Peak signal-to-noise ratio in dB over all pixels.
  public let psnr: Double
  /// The same over moving pixels only: those that differ from the background.
  public let movingPSNR: Double
  /// The indices of the frames, sorted by error, the largest first.
  public let worst: [Int]
  /// The mean square error of each frame against its target, in (levels / 255)².
  public let errors: [Double]

  /// - Parameter threshold: The difference from the background, of at most 1, above which a pixel counts as moving.
  public init<Model: Autoencoder>(
    of recording: Recording, by encoder: LatentEncoder<Model>, threshold: Float
  ) {
    var (errors, moving, movingCount) = ([Double](), 0.0, 0)
    for start in stride(from: 0, to: recording.count, by: 128) {
      let indices = Array(start..<min(start + 128, recording.count))
      let x = encoder.prepare(recording, indices)
      let drawn = encoder.reconstruct(prepared: x)
      let squares = square(drawn - encoder.target(x))
      errors += squares.reshaped(indices.count, -1).mean(axis: 1).doubles
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
  /// The mean square error of each stack's reconstruction.
  public func errors(of frames: [PixelBuffer]) -> [Double] {
    stride(from: 0, to: frames.count, by: 64 * frameStack).flatMap { start in
      let x = prepare(Array(frames[start..<min(start + 64 * frameStack, frames.count)]))
      return square(reconstruct(prepared: x) - target(x)).reshaped(x.shape[0], -1).mean(axis: 1).doubles
    }
  }
}

/// Draws rows of original | keypoints | target | reconstruction | error, with the scale of the error. The target is
/// left out if it is the frame itself, and the keypoints if the autoencoder has none.
public func reconstructionGrid<Model: Autoencoder>(
  of frames: [PixelBuffer], by encoder: LatentEncoder<Model>, captions: [String] = []
) -> PixelBuffer {
  let scale = frames[0].size.magnification(to: 192)
  var grid = ImageGrid(
    rows: encoder.comparisons(of: frames, magnifiedBy: scale), columnCaptions: encoder.comparisonCaptions,
    rowCaptions: captions, scale: 1)
  grid.legend = ErrorScale().picture()
  return grid.picture()
}

extension LatentEncoder {
  /// The captions of the images that `comparisons` returns for a frame.
  public var comparisonCaptions: [String] {
    ["original"] + (hasKeypoints ? ["keypoints"] : []) + (target.isFrame ? [] : ["target"])
      + ["reconstruction", "error"]
  }

  private var hasKeypoints: Bool { model.keypoints(of: .zeros([1, model.latentSize])) != nil }

  /// Returns, for each frame: the frame, the frame with its keypoints if there are any, the target if it differs from
  /// the frame, the reconstruction, and the error. All are RGB, each pixel as a block of `scale` by `scale`.
  public func comparisons(of frames: [PixelBuffer], magnifiedBy scale: Int) -> [[PixelBuffer]] {
    let x = prepare(frames)
    let shown = stride(from: frameStack - 1, to: frames.count, by: frameStack).map { frames[$0] }
    let z = asSeen(model.encode(x))
    let (targets, drawn) = (target(x), model.decode(z))
    let keypoints = model.keypoints(of: z)
    return shown.indices.map { i in
      let target = picture(of: targets, at: i)
      let reconstruction = picture(of: drawn, at: i)
      var columns = [target, reconstruction, PixelBuffer.errorMap(target, reconstruction)]
      if self.target.isFrame { columns.removeFirst() }
      columns = ([shown[i]] + columns).map { $0.converted(to: .rgb).magnified(by: scale) }
      if let points = keypoints?[i] {
        var marked = columns[0]
        KeypointMarks(count: points.count).draw(points, over: &marked)
        columns.insert(marked, at: 1)
      }
      return columns
    }
  }

  /// Returns the keypoints of frames as fractions of the frame, or nil if the autoencoder has none.
  public func keypoints(of frames: [PixelBuffer]) -> [[Point]]? {
    model.keypoints(of: asSeen(model.encode(prepare(frames))))
  }
}

func decibels(_ meanSquare: Double) -> Double { meanSquare > 0 ? -10 * log10(meanSquare) : 99 }
