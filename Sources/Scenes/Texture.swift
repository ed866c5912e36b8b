import Core

/// A picture to lay on surfaces, with ever coarser copies of itself for what lies far away (Williams 1983).
public struct Texture: Sendable {
  public enum Kind: Sendable {
    /// One picture, repeated.
    case flat
    /// Six square pictures, looking along x, -x, y, -y, z and -z.
    case cube
  }

  let kind: Kind
  /// Of the finest level, in texels.
  let width: Int
  let height: Int
  /// Where each level of a face starts, and its size, finest first.
  private let levels: [Level]
  private let faceStride: Int
  /// Red, green and blue in the three lowest bytes.
  private let texels: [UInt32]

  private struct Level {
    let start: Int
    let width: Int
    let height: Int
  }

  /// - Parameter bytes: `height * width * 3` bytes a picture, rows from the top; a cube has six or one for all sides.
  public init(_ kind: Kind, width: Int, height: Int, bytes: [UInt8]) {
    let count = 3 * width * height
    precondition(
      width > 0 && height > 0 && (bytes.count == count || kind == .cube && bytes.count == 6 * count),
      "a texture of \(width)x\(height) does not have \(bytes.count) bytes")
    self.kind = kind
    self.width = width
    self.height = height
    var levels = [Level(start: 0, width: width, height: height)]
    while let last = levels.last, last.width > 1 || last.height > 1 {
      levels.append(
        Level(
          start: last.start + last.width * last.height, width: Swift.max(1, last.width / 2),
          height: Swift.max(1, last.height / 2)))
    }
    var texels: [UInt32] = []
    for face in 0..<bytes.count / count {
      let picture = (0..<width * height).map { texel in
        let at = face * count + 3 * texel
        return UInt32(bytes[at]) | UInt32(bytes[at + 1]) << 8 | UInt32(bytes[at + 2]) << 16
      }
      texels += Self.pyramid(picture, levels)
    }
    self.levels = levels
    self.texels = texels
    faceStride = bytes.count == count ? 0 : texels.count / 6
  }

  /// A picture and its halves.
  private static func pyramid(_ picture: [UInt32], _ levels: [Level]) -> [UInt32] {
    var all = picture
    for (fine, coarse) in zip(levels, levels.dropFirst()) {
      for y in 0..<coarse.height {
        for x in 0..<coarse.width {
          var sums = SIMD3<UInt32>()
          for (dx, dy) in [(0, 0), (1, 0), (0, 1), (1, 1)] {
            let (column, row) = (Swift.min(2 * x + dx, fine.width - 1), Swift.min(2 * y + dy, fine.height - 1))
            let texel = all[fine.start + row * fine.width + column]
            sums &+= SIMD3(texel & 255, texel >> 8 & 255, texel >> 16)
          }
          let mean = (sums &+ 2) &>> 2
          all.append(mean.x | mean.y << 8 | mean.z << 16)
        }
      }
    }
    return all
  }

  public var isCube: Bool { kind == .cube }

  /// Colours from 0 to 1.
  ///
  /// - Parameters:
  ///   - s: in repetitions, along a row.
  ///   - footprint: texels of the finest level that a pixel is wide.
  func flat(_ s: Lanes, _ t: Lanes, footprint: Lanes, _ mask: LaneMask) -> LaneVectors {
    colors(face: SIMD8(repeating: 0), s.fraction, t.fraction, footprint, repeats: true, mask)
  }

  /// Colours from 0 to 1 in directions from a cube's centre.
  func cube(_ d: LaneVectors, footprint: Lanes, _ mask: LaneMask) -> LaneVectors {
    let (x, y, z) = (d.x.magnitude, d.y.magnitude, d.z.magnitude)
    let isX = (x > y) & (x > z)
    let isY = !isX & (y > z)
    let main = choose(isX, d.x, choose(isY, d.y, d.z))
    let isNegative = main < 0
    // OpenGL's table: which axis runs along a row and which down a column of each face.
    let along = choose(isX, choose(isNegative, d.z, -d.z), choose(isY, d.x, choose(isNegative, -d.x, d.x)))
    let down = choose(isY, choose(isNegative, -d.z, d.z), -d.y)
    let scale = Lanes(0.5) / (main.magnitude + 1e-20)
    let first = choose(isX, SIMD8(repeating: 0), choose(isY, SIMD8(repeating: 2), SIMD8(repeating: 4)))
    let face = first &- isNegative.bits
    return colors(face: face, along * scale + 0.5, down * scale + 0.5, footprint, repeats: false, mask)
  }

  /// Between texels and between levels.
  private func colors(
    face: SIMD8<Int32>, _ s: Lanes, _ t: Lanes, _ footprint: Lanes, repeats: Bool, _ mask: LaneMask
  ) -> LaneVectors {
    // 256 log₂ of the footprint: the exponent, and the fraction as if the logarithm were straight in between.
    let logarithm = (max(footprint, Lanes(1)).bits &- 0x3f80_0000) &>> 15
    var colors = LaneVectors(SIMD3(0, 0, 0))
    let texels = texels.span
    let levels = levels.span
    for lane in 0..<Lanes.count where mask[lane] {
      let detail = Swift.min(Int(logarithm[lane]), (levels.count - 1) << 8)
      let start = Int(face[lane]) * faceStride
      let index = detail >> 8
      var color = blend(texels, start, levels[index], s[lane], t[lane], repeats)
      let weight = UInt32(truncatingIfNeeded: detail & 255)
      if weight > 0 {
        let coarse = blend(texels, start, levels[index + 1], s[lane], t[lane], repeats)
        if coarse != color { color = mixed(color, coarse, weight) }
      }
      colors.x[lane] = Float(color & 255)
      colors.y[lane] = Float(color >> 8 & 255)
      colors.z[lane] = Float(color >> 16)
    }
    return colors * Lanes(1 / 255)
  }

  /// Between the four texels around a place.
  @inline(__always)
  private func blend(
    _ texels: Span<UInt32>, _ start: Int, _ level: Level, _ s: Float, _ t: Float, _ repeats: Bool
  ) -> UInt32 {
    // In 256ths of a texel, from the centre of the first; a whole turn is added so that nothing is below zero.
    let x = Int(s * Float(level.width << 8)) - 128
    let y = Int(t * Float(level.height << 8)) - 128
    func neighbours(_ at: Int, _ size: Int) -> (Int, Int) {
      let first = at >> 8
      if repeats { return (first < 0 ? first + size : first, first + 1 == size ? 0 : first + 1) }
      return (Swift.max(first, 0), Swift.min(first + 1, size - 1))
    }
    let (left, right) = neighbours(x, level.width)
    let (top, bottom) = neighbours(y, level.height)
    let (across, down) = (UInt32(truncatingIfNeeded: x & 255), UInt32(truncatingIfNeeded: y & 255))
    let upper = start + level.start + top * level.width
    let lower = start + level.start + bottom * level.width
    let (a, b, c, d) = (texels[upper + left], texels[upper + right], texels[lower + left], texels[lower + right])
    // Most of a checker is of one colour.
    if (a ^ b) | (a ^ c) | (a ^ d) == 0 { return a }
    return mixed(mixed(a, b, across), mixed(c, d, across), down)
  }
}

/// Two packed colours, the second with a weight in 256ths.
@inline(__always)
private func mixed(_ a: UInt32, _ b: UInt32, _ weight: UInt32) -> UInt32 {
  let redBlue = (a & 0xff00ff) &* (256 &- weight) &+ (b & 0xff00ff) &* weight &+ 0x800080
  let green = (a & 0x00ff00) &* (256 &- weight) &+ (b & 0x00ff00) &* weight &+ 0x008000
  return (redBlue >> 8 & 0xff00ff) | (green >> 8 & 0x00ff00)
}
