import Autoencoders
import Tensors

#if canImport(Glibc)
  import Glibc
#else
  import Foundation
#endif

extension FramePreparation {
  /// Returns weights that are larger for pixels of rarer colours: w = (f + 1 / K)^-α, divided by its mean. f is the
  /// fraction of the batch's pixels with a similar colour, of K ranges of colours.
  ///
  /// Under a camera that follows the body, the floor moves too, and covers more pixels than the body. A mean square then
  /// describes the floor. With α = 1 each colour counts as much as any other, however few pixels have it.
  ///
  /// - Parameters:
  ///   - x: prepared frames `[B, S C, H, W]` of S stacked frames each.
  ///   - exponent: α, from 0 (all weights are 1) to 1.
  ///   - shifts: how the frames of each of the B rows are shifted, and the background that was subtracted with them; nil if
  ///     none is.
  /// - Returns: `[B, S C, H, W]`, equal for the channels of a pixel.
  func colorWeights(_ x: Tensor, exponent: Double, shifts: [Shift]? = nil) -> Tensor {
    let (channels, plane) = (shape.channels, shape.height * shape.width)
    let stack = x.shape[1] / channels
    // 512 ranges of colours, or 64 of gray.
    let bits = channels == 1 ? 6 : 3
    let ranges = 1 << (bits * channels)
    var places = [Int](repeating: 0, count: x.shape.count / channels)
    var counts = [Int](repeating: 0, count: ranges)
    let background = background.span
    x.withElements { x in
      for frame in 0..<places.count / plane {
        let shift = shifts?[frame / stack] ?? .none
        for p in 0..<plane {
          let origin = shift.origin(of: p, in: shape)
          var place = 0
          for c in 0..<channels {
            let level = x[(frame * channels + c) * plane + p] * 255 + Float(background[origin * channels + c])
            place = place << bits | Int(min(max(level.rounded(), 0), 255)) >> (8 - bits)
          }
          places[frame * plane + p] = place
          counts[place] += 1
        }
      }
    }
    let least = 1 / Double(ranges)
    let weights = counts.map { pow(Double($0) / Double(places.count) + least, -exponent) }
    let mean = zip(weights, counts).reduce(0) { $0 + $1.0 * Double($1.1) } / Double(places.count)
    let scaled = weights.map { Float($0 / mean) }
    return Tensor([x.shape.count], of: Float.self) { w in
      for frame in 0..<places.count / plane {
        for c in 0..<channels {
          for p in 0..<plane { w[(frame * channels + c) * plane + p] = scaled[places[frame * plane + p]] }
        }
      }
    }.reshaped(x.shape)
  }
}
