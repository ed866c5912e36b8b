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
      for b in 0..<batch {
        let shift = shifts[b]
        for plane in b * channels..<(b + 1) * channels {
          for i in 0..<height {
            let from = (plane * height + min(max(i - shift.down, 0), height - 1)) * width
            let into = (plane * height + i) * width
            for j in 0..<width { y[into + j] = x[from + min(max(j - shift.right, 0), width - 1)] }
          }
        }
      }
    }
  }.reshaped(x.shape)
}
