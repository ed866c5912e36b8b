import Tensors

/// The reconstruction target for a prepared frame: the frame itself, or a blurred and amplified one.
///
/// Blurring enlarges small things: the error then decreases smoothly as a keypoint comes nearer, and thin lines matter
/// as much as solid bodies.
public struct ReconstructionTarget: Sendable, Hashable, Codable {
  /// The radius of the box blur in pixels; 0 for no blur.
  public var blur: Int
  /// The factor on the blurred frame, which is then clamped to [-1, 1].
  public var gain: Double

  public init(blur: Int = 0, gain: Double = 1) {
    precondition(blur >= 0 && gain > 0, "a target cannot have blur \(blur) and gain \(gain)")
    self.blur = blur
    self.gain = gain
  }

  /// Whether the target is the frame itself.
  public var isFrame: Bool { self == ReconstructionTarget() }

  /// Returns the target `[B, C, H, W]` for prepared frames of that shape.
  public func callAsFunction(_ x: Tensor) -> Tensor {
    let blurred = blur > 0 ? boxBlurred(x, radius: blur) : x
    return gain == 1 ? blurred : clamp(blurred * gain, -1, 1)
  }
}

/// Returns the mean over a square of side 2 radius + 1 around each pixel of `[B, C, H, W]`, with edge pixels repeated.
///
/// It uses running sums along the rows, then along the columns: the cost does not depend on the radius.
public func boxBlurred(_ x: Tensor, radius: Int) -> Tensor {
  let (planes, height, width) = (x.shape[0] * x.shape[1], x.shape[2], x.shape[3])
  let scale = 1 / Float(2 * radius + 1)
  let alongRows = x.withElements { x in
    Tensor([planes * height, width], of: Float.self) { y in
      for row in 0..<planes * height {
        let start = row * width
        var sum: Float = 0
        for k in -radius...radius { sum += x[start + min(max(k, 0), width - 1)] }
        for i in 0..<width {
          y[start + i] = sum * scale
          sum += x[start + min(i + radius + 1, width - 1)] - x[start + max(i - radius, 0)]
        }
      }
    }
  }
  var sums = [Float](repeating: 0, count: width)
  return alongRows.withElements { x in
    Tensor([planes * height * width], of: Float.self) { y in
      for plane in 0..<planes {
        let start = plane * height * width
        for j in 0..<width { sums[j] = 0 }
        for k in -radius...radius {
          let row = start + min(max(k, 0), height - 1) * width
          for j in 0..<width { sums[j] += x[row + j] }
        }
        for i in 0..<height {
          let (enters, leaves) = (start + min(i + radius + 1, height - 1) * width, start + max(i - radius, 0) * width)
          for j in 0..<width {
            y[start + i * width + j] = sums[j] * scale
            sums[j] += x[enters + j] - x[leaves + j]
          }
        }
      }
    }
  }.reshaped(x.shape)
}
