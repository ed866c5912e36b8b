import Autoencoders
import Core

/// How far a frame is shifted, in pixels to the right and down.
struct Shift: Sendable, Hashable {
  let right: Int
  let down: Int

  static let none = Shift(right: 0, down: 0)

  init(right: Int, down: Int) { (self.right, self.down) = (right, down) }

  /// Draws a shift uniformly in both directions, by at most `most` pixels.
  init(atMost most: Int, using random: inout Random) {
    right = random.integer(below: 2 * most + 1) - most
    down = random.integer(below: 2 * most + 1) - most
  }

  /// The pixel of the original frame that a pixel of the shifted one shows, both counted row by row.
  func origin(of pixel: Int, in shape: FrameShape) -> Int {
    if self == .none { return pixel }
    let (row, column) = (pixel / shape.width - down, pixel % shape.width - right)
    return min(max(row, 0), shape.height - 1) * shape.width + min(max(column, 0), shape.width - 1)
  }
}

/// Writes a shifted frame `[C, H, W]` into `y` from index `start` on, and fills the border with repeated edge pixels.
///
/// This is the random shift of DrQ (Kostrikov, Yarats and Fergus 2020, arXiv 2004.13649, 3.1; Yarats et al. 2021, arXiv
/// 2107.09645, 3.1): pad by repeating the edge, then crop to the same size at a random position.
func writeShifted(
  _ x: Span<Float>, _ shape: FrameShape, by shift: Shift, into y: inout MutableSpan<Float>, at start: Int
) {
  let (height, width) = (shape.height, shape.width)
  for plane in 0..<shape.channels {
    for i in 0..<height {
      let from = (plane * height + min(max(i - shift.down, 0), height - 1)) * width
      writeRow(x, from, &y, start + (plane * height + i) * width, width, right: shift.right)
    }
  }
}

/// Writes a row in three parts: repeated left edge, shifted pixels, repeated right edge. A separate function, so that
/// the compiler sees that the spans do not overlap and vectorises the loops.
@inline(never)
private func writeRow(
  _ x: Span<Float>, _ from: Int, _ y: inout MutableSpan<Float>, _ into: Int, _ width: Int, right: Int
) {
  let start = min(max(right, 0), width)
  let end = max(min(width + right, width), start)
  let (left, last) = (x[from], x[from + width - 1])
  precondition(into >= 0 && into + width <= y.count, "the row is outside the target")
  for j in 0..<start { unsafe y[unchecked: into &+ j] = left }
  for j in start..<end { unsafe y[unchecked: into &+ j] = x[unchecked: from &- right &+ j] }
  for j in end..<width { unsafe y[unchecked: into &+ j] = last }
}
