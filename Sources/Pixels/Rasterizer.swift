extension Canvas {
  /// Blends `color` over the pixels that the shape covers.
  ///
  /// In each row of the shape's bounding box, the distance at a pixel is a lower bound on the distance to the edge. So
  /// that many pixels are skipped at once outside the shape, or filled at once inside.
  @inline(__always)
  mutating func paint<S: Shape>(_ shape: S, _ color: Color) {
    let (grid, box) = (grid, shape.bounds)
    guard shape.isFinite && box.isModest else { return }
    let columns = pixels(
      from: (box.left - grid.origin.x) * grid.scale, to: (box.right - grid.origin.x) * grid.scale, count: width)
    let rows = pixels(
      from: (grid.origin.y - box.top) * grid.scale, to: (grid.origin.y - box.bottom) * grid.scale, count: height)
    let fullWeight = Int(min(max(opacity, 0), 1) * 256 + 0.5)
    var row = Row(format: format, color: color)
    var pixels = bytes.mutableSpan
    for y in rows {
      row.start = grid.rowStart(y)
      var x = columns.lowerBound
      while x < columns.upperBound {
        let distance = shape.distance(to: grid.place(x, y)) * grid.scale
        if distance >= 0.5 {
          x += Int(min(distance - 0.5, 1e6)) + 1
        } else if distance > -0.5 {
          row.blend(x, weight: Int((0.5 - distance) * Double(fullWeight) + 0.5), into: &pixels)
          x += 1
        } else {
          let end = min(x + Int(min(-distance - 0.5, 1e6)) + 1, columns.upperBound)
          row.fill(x..<end, weight: fullWeight, into: &pixels)
          x = end
        }
      }
    }
  }

  /// Returns the pixels, with centres at 0, 1, 2 ..., that a shape spanning the interval can affect. The ramp of the
  /// edge extends half a pixel beyond the interval, or √½ pixels at a corner of a rotated box.
  @inline(__always)
  private func pixels(from low: Double, to high: Double, count: Int) -> Range<Int> {
    let first = min(max((low - 0.708).rounded(.up), 0), Double(count))
    let end = min(max((high + 0.708).rounded(.down) + 1, first), Double(count))
    return Int(first)..<Int(end)
  }
}

/// Writes one colour to a row of pixels.
struct Row {
  private let red: Int
  private let green: Int
  private let blue: Int
  private let isGray: Bool
  /// The index of the row's first byte.
  var start = 0

  init(format: PixelFormat, color: Color) {
    isGray = format == .gray
    red = Int(isGray ? color.luminance : color.red)
    green = Int(color.green)
    blue = Int(color.blue)
  }

  /// Blends the colour over one pixel. The weight is in 256ths.
  @inline(__always)
  func blend(_ x: Int, weight: Int, into pixels: inout MutableSpan<UInt8>) {
    func mix(_ index: Int, _ value: Int) {
      pixels[index] = UInt8(truncatingIfNeeded: (Int(pixels[index]) * (256 - weight) + value * weight + 128) >> 8)
    }
    if isGray {
      mix(start + x, red)
    } else {
      let index = start + 3 * x
      mix(index, red)
      mix(index + 1, green)
      mix(index + 2, blue)
    }
  }

  @inline(__always)
  func fill(_ columns: Range<Int>, weight: Int, into pixels: inout MutableSpan<UInt8>) {
    guard weight == 256 else {
      for x in columns { blend(x, weight: weight, into: &pixels) }
      return
    }
    if isGray {
      for x in columns { pixels[start + x] = UInt8(truncatingIfNeeded: red) }
    } else {
      var index = start + 3 * columns.lowerBound
      for _ in columns {
        pixels[index] = UInt8(truncatingIfNeeded: red)
        pixels[index + 1] = UInt8(truncatingIfNeeded: green)
        pixels[index + 2] = UInt8(truncatingIfNeeded: blue)
        index += 3
      }
    }
  }
}
