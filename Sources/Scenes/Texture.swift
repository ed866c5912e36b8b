import Core

/// A texture with a mipmap pyramid (Williams 1983).
public struct Texture: Sendable, Equatable {
  public enum Kind: Sendable, Equatable {
    /// One picture, repeated.
    case flat
    /// Six square pictures for the directions x, -x, y, -y, z and -z.
    case cube
  }

  let kind: Kind
  /// The size of the finest level in texels.
  let width: Int
  let height: Int
  /// The start index and size of each level of a face, finest first.
  private let levels: [Level]
  private let faceStride: Int
  /// Red, green and blue in the three lowest bytes, and `uniformBit`.
  private let texels: [UInt32]
  /// The flag of a texel for which interpolation to its neighbours and to the next level never changes its colour.
  private static let uniformBit: UInt32 = 1 << 24

  private struct Level: Equatable {
    let start: Int
    let width: Int
    let height: Int

    /// Returns the index of the texel to the upper left of each position in a repeating texture, for s and t from 0 to
    /// 1.
    @inline(__always)
    func first(_ s: Lanes, _ t: Lanes) -> SIMD8<Int32> {
      @inline(__always)
      func texel(_ position: Lanes, _ size: Int) -> SIMD8<Int32> {
        let at = (((position * Float(size << 8)).floor.integers &- 128) &>> 8)
        return at &+ (Int32(size) & (at &>> 31))
      }
      return Int32(start) &+ texel(t, height) &* Int32(width) &+ texel(s, width)
    }
  }

  /// - Parameters:
  ///   - width: at most 8192, like the height.
  ///   - bytes: `height * width * 3` bytes per picture, rows from the top. A cube has six pictures, or one for all
  ///     faces.
  public init(_ kind: Kind, width: Int, height: Int, bytes: [UInt8]) {
    let count = 3 * width * height
    precondition(
      1...8192 ~= width && 1...8192 ~= height && (bytes.count == count || kind == .cube && bytes.count == 6 * count),
      "a texture of \(width)x\(height) cannot have \(bytes.count) bytes")
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
    // Checkerboards have mostly uniform texels; the pictures of a cube rarely do.
    if kind == .flat { Self.markUniform(&texels, levels) }
    self.levels = levels
    self.texels = texels
    faceStride = bytes.count == count ? 0 : texels.count / 6
  }

  /// Returns all mipmap levels of a picture.
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

  /// Sets `uniformBit` for the texels of a repeating picture.
  private static func markUniform(_ texels: inout [UInt32], _ levels: [Level]) {
    let plain = texels
    for (number, level) in levels.enumerated() {
      let coarse = number + 1 < levels.count ? levels[number + 1] : level
      // The coarse texels used for positions between texel i and the next. Texel centres are at half-integer positions.
      func range(_ i: Int, _ size: Int, _ coarseSize: Int) -> ClosedRange<Int> {
        let ratio = Double(coarseSize) / Double(size)
        let (low, high) = ((Double(i) + 0.49) * ratio - 0.5, (Double(i) + 1.51) * ratio - 0.5)
        return Int(low.rounded(.down))...Int(high.rounded(.down)) + 1
      }
      func has(_ color: UInt32, _ level: Level, _ rows: ClosedRange<Int>, _ columns: ClosedRange<Int>) -> Bool {
        rows.allSatisfy { row in
          let first = level.start + (row + level.height) % level.height * level.width
          return columns.allSatisfy { plain[first + ($0 + level.width) % level.width] == color }
        }
      }
      for y in 0..<level.height {
        for x in 0..<level.width {
          let at = level.start + y * level.width + x
          guard has(plain[at], level, y...y + 1, x...x + 1) else { continue }
          guard
            has(plain[at], coarse, range(y, level.height, coarse.height), range(x, level.width, coarse.width))
          else { continue }
          texels[at] |= uniformBit
        }
      }
    }
  }

  public var isCube: Bool { kind == .cube }

  /// Samples a flat texture. Returns colours from 0 to 1.
  ///
  /// - Parameters:
  ///   - s: the coordinate along a row, in repetitions.
  ///   - footprint: the width of a pixel in texels of the finest level.
  func flat(_ s: Lanes, _ t: Lanes, footprint: Lanes, _ mask: LaneMask) -> LaneVectors {
    colors(face: SIMD8(repeating: 0), s.fraction, t.fraction, footprint, repeats: true, mask)
  }

  /// Samples a cube texture by direction. Returns colours from 0 to 1.
  func cube(_ d: LaneVectors, footprint: Lanes, _ mask: LaneMask) -> LaneVectors {
    let (x, y, z) = (d.x.magnitude, d.y.magnitude, d.z.magnitude)
    let isX = (x > y) & (x > z)
    let isY = !isX & (y > z)
    let main = choose(isX, d.x, choose(isY, d.y, d.z))
    let isNegative = main < 0
    // OpenGL's table of the axes along the rows and columns of each face.
    let along = choose(isX, choose(isNegative, d.z, -d.z), choose(isY, d.x, choose(isNegative, -d.x, d.x)))
    let down = choose(isY, choose(isNegative, -d.z, d.z), -d.y)
    let scale = Lanes(0.5) / (main.magnitude + 1e-20)
    let first = choose(isX, SIMD8(repeating: 0), choose(isY, SIMD8(repeating: 2), SIMD8(repeating: 4)))
    let face = first &- isNegative.bits
    return colors(face: face, along * scale + 0.5, down * scale + 0.5, footprint, repeats: false, mask)
  }

  /// Interpolates between texels and between levels.
  private func colors(
    face: SIMD8<Int32>, _ s: Lanes, _ t: Lanes, _ footprint: Lanes, repeats: Bool, _ mask: LaneMask
  ) -> LaneVectors {
    // 256 log₂ of the footprint: from the exponent, with linear interpolation by the mantissa.
    let logarithm = (max(footprint, Lanes(1)).bits &- 0x3f80_0000) &>> 15
    let beyond = logarithm &- Int32((levels.count - 1) << 8)
    let detail = logarithm &- (beyond & ~(beyond &>> 31))
    let number = detail &>> 8
    var packed = SIMD8<Int32>(repeating: 0)
    let texels = texels.span
    let levels = levels.span
    var open = mask
    while let first = open.first {
      let index = Int(number[first])
      let level = levels[index]
      let own = open & LaneMask(number, are: Int32(index))
      open = open & !own
      let nearest = repeats ? level.first(s, t) : SIMD8(repeating: 0)
      for lane in 0..<Lanes.count where own[lane] {
        let texel = repeats ? texels[Int(nearest[lane])] : 0
        if texel & Self.uniformBit != 0 {
          packed[lane] = Int32(truncatingIfNeeded: texel)
          continue
        }
        let start = Int(face[lane]) * faceStride
        var color = blend(texels, start, level, s[lane], t[lane], repeats)
        let weight = UInt32(truncatingIfNeeded: detail[lane] & 255)
        if weight > 0 {
          let coarse = blend(texels, start, levels[index + 1], s[lane], t[lane], repeats)
          if coarse != color { color = mixed(color, coarse, weight) }
        }
        packed[lane] = Int32(truncatingIfNeeded: color)
      }
    }
    return LaneVectors(
      Lanes(whole: packed & 255), Lanes(whole: packed &>> 8 & 255), Lanes(whole: packed &>> 16 & 255)) * Lanes(1 / 255)
  }

  /// Interpolates between the four texels around a position.
  @inline(__always)
  private func blend(
    _ texels: Span<UInt32>, _ start: Int, _ level: Level, _ s: Float, _ t: Float, _ repeats: Bool
  ) -> UInt32 {
    // In 256ths of a texel, relative to the centre of the first texel.
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
    func color(_ at: Int) -> UInt32 { texels[at] & 0xffffff }
    let (a, b, c, d) = (color(upper + left), color(upper + right), color(lower + left), color(lower + right))
    if (a ^ b) | (a ^ c) | (a ^ d) == 0 { return a }
    return mixed(mixed(a, b, across), mixed(c, d, across), down)
  }
}

/// Interpolates two packed colours. The weight of the second is in 256ths.
@inline(__always)
private func mixed(_ a: UInt32, _ b: UInt32, _ weight: UInt32) -> UInt32 {
  let redBlue = (a & 0xff00ff) &* (256 &- weight) &+ (b & 0xff00ff) &* weight &+ 0x800080
  let green = (a & 0x00ff00) &* (256 &- weight) &+ (b & 0x00ff00) &* weight &+ 0x008000
  return (redBlue >> 8 & 0xff00ff) | (green >> 8 & 0x00ff00)
}
