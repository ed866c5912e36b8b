/// A pattern that covers the plane, in the units of the canvas's view. It does not move with the view.
public enum Texture: Sendable, Hashable {
  /// Squares with sides of `period` units.
  case checker(period: Double)
  /// Smooth noise with bumps about `period` units wide.
  case noise(period: Double, seed: UInt64)

  /// Returns the weight of the second colour at a point, from 0 to 1.
  func value(at point: Point) -> Double {
    switch self {
    case .checker(let period):
      let sum = (point.x / period).rounded(.down) + (point.y / period).rounded(.down)
      return sum.remainder(dividingBy: 2) == 0 ? 0 : 1
    case .noise(let period, let seed):
      let (x, y) = (point.x / period, point.y / period)
      return (2 * latticeNoise(x, y, seed: seed) + latticeNoise(2 * x, 2 * y, seed: ~seed)) / 3
    }
  }
}

extension Canvas {
  /// Fills the frame with one colour.
  public mutating func fill(_ color: Color) {
    let (row, columns) = (Row(format: format, color: seen(color)), width)
    var pixels = bytes.mutableSpan
    row.fill(0..<columns, weight: 256, into: &pixels)
    repeatFirstRow()
    distract()
  }

  /// Copies the first row to all others.
  private mutating func repeatFirstRow() {
    let stride = width * format.channels
    unsafe bytes.withUnsafeMutableBytes { bytes in
      let first = unsafe UnsafeRawBufferPointer(rebasing: bytes[..<stride])
      for start in Swift.stride(from: stride, to: bytes.count, by: stride) {
        unsafe UnsafeMutableRawBufferPointer(rebasing: bytes[start...]).copyMemory(from: first)
      }
    }
  }

  /// Fills the frame with `picture`, which must have the same size and format. An expensive background can be drawn
  /// once and reused.
  public mutating func fill(_ picture: PixelBuffer) {
    precondition(
      picture.width == width && picture.height == height && picture.format == format,
      "a \(width)x\(height) \(format) canvas cannot show a \(picture.width)x\(picture.height) \(picture.format) picture"
    )
    unsafe bytes.withUnsafeMutableBytes { target in
      unsafe picture.bytes.withUnsafeBytes { source in unsafe target.copyMemory(from: source) }
    }
    distract()
  }

  /// Fills the frame with a vertical gradient from `top` to `bottom`.
  public mutating func gradient(top: Color, bottom: Color) {
    let (grid, top, bottom) = (grid, seen(top), seen(bottom))
    var pixels = bytes.mutableSpan
    for y in 0..<grid.height {
      let fraction = (Double(y) + 0.5) / Double(grid.height)
      var row = Row(format: grid.format, color: top.mixed(with: bottom, fraction: fraction))
      row.start = grid.rowStart(y)
      row.fill(0..<grid.width, weight: 256, into: &pixels)
    }
    distract()
  }

  /// Fills the frame with a texture of two colours. Noise takes tens of nanoseconds per pixel: draw it once and reuse
  /// it.
  public mutating func texture(_ texture: Texture, _ first: Color, _ second: Color) {
    let (grid, roll, first, second) = (grid, roll, seen(first), seen(second))
    var pixels = bytes.mutableSpan
    for y in 0..<grid.height {
      for x in 0..<grid.width {
        let place = grid.place(x, y)
        let color = first.mixed(with: second, fraction: texture.value(at: roll?.turnedBack(place) ?? place))
        var row = Row(format: grid.format, color: color)
        row.start = grid.rowStart(y)
        row.fill(x..<x + 1, weight: 256, into: &pixels)
      }
    }
    distract()
  }

  /// Covers the frame with the moving background, if there is one.
  private mutating func distract() {
    if let background = distraction?.background { cover(with: background) }
  }
}

/// Returns value noise from 0 to 1: random values at integer coordinates, smoothly interpolated.
private func latticeNoise(_ x: Double, _ y: Double, seed: UInt64) -> Double {
  guard abs(x) < 1e15 && abs(y) < 1e15 else { return 0.5 }
  let (column, row) = (x.rounded(.down), y.rounded(.down))
  func corner(_ dx: Int64, _ dy: Int64) -> Double {
    let a = UInt64(bitPattern: Int64(column) + dx) &* 0x9e37_79b9_7f4a_7c15
    let b = UInt64(bitPattern: Int64(row) + dy) &* 0xc2b2_ae3d_27d4_eb4f
    var hash = seed ^ a ^ (b << 31 | b >> 33)
    hash = (hash ^ (hash >> 30)) &* 0xbf58_476d_1ce4_e5b9
    hash = (hash ^ (hash >> 27)) &* 0x94d0_49bb_1331_11eb
    return Double((hash ^ (hash >> 31)) >> 11) * 0x1p-53
  }
  func smooth(_ t: Double) -> Double { t * t * (3 - 2 * t) }
  let (u, v) = (smooth(x - column), smooth(y - row))
  let low = corner(0, 0) * (1 - u) + corner(1, 0) * u
  let high = corner(0, 1) * (1 - u) + corner(1, 1) * u
  return low * (1 - v) + high * v
}
