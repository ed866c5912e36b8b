import Core
import Tensors

/// How far a frame is shifted, in pixels to the right and down.
struct Shift: Sendable, Hashable {
  let right: Int
  let down: Int

  static let none = Shift(right: 0, down: 0)

  init(right: Int, down: Int) { (self.right, self.down) = (right, down) }

  /// Uniformly in both directions, by at most so many pixels.
  init(atMost most: Int, using random: inout Random) {
    right = random.integer(below: 2 * most + 1) - most
    down = random.integer(below: 2 * most + 1) - most
  }
}

/// Frames `[B, C, H, W]`, each shifted in its own way; what comes in from outside is the edge, repeated.
///
/// This is the random shift of DrQ (Kostrikov, Yarats and Fergus 2020, arXiv 2004.13649, 3.1; Yarats et al. 2021, arXiv
/// 2107.09645, 3.1): to pad by repeating the edge, then to crop to the same size at a random place.
func shifted(_ x: Tensor, _ shifts: [Shift]) -> Tensor {
  let (batch, channels, height, width) = (x.shape[0], x.shape[1], x.shape[2], x.shape[3])
  precondition(shifts.count == batch, "\(shifts.count) shifts for \(batch) frames")
  return x.withElements { x in
    Tensor([batch * channels, height, width], of: Float.self) { y in
      Threads.divide(batch, elements: x.count) { images in
        for b in images {
          let shift = shifts[b]
          for plane in b * channels..<(b + 1) * channels {
            for i in 0..<height {
              let from = (plane * height + min(max(i - shift.down, 0), height - 1)) * width
              writeRow(x, from, &y, (plane * height + i) * width, width, right: shift.right)
            }
          }
        }
      }
    }
  }.reshaped(x.shape)
}

/// A row in three parts: the edge that comes in on the left, what stays, and the edge on the right. A function of its own,
/// so that the compiler sees that the spans do not overlap and takes several elements at once.
@inline(never)
private func writeRow(
  _ x: Span<Float>, _ from: Int, _ y: inout MutableSpan<Float>, _ into: Int, _ width: Int, right: Int
) {
  let start = min(max(right, 0), width)
  let end = max(min(width + right, width), start)
  let (left, last) = (x[from], x[from + width - 1])
  precondition(into >= 0 && into + width <= y.count, "a row that lies outside")
  for j in 0..<start { unsafe y[unchecked: into &+ j] = left }
  for j in start..<end { unsafe y[unchecked: into &+ j] = x[unchecked: from &- right &+ j] }
  for j in end..<width { unsafe y[unchecked: into &+ j] = last }
}
