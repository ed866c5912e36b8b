import Core
import Testing

@testable import Pixels

@Suite struct ResizingTests {
  static func noise(_ width: Int, _ height: Int, _ format: PixelFormat) -> PixelBuffer {
    var random = Random(seed: Seed(3))
    let bytes = (0..<width * height * format.channels).map { _ in UInt8(random.integer(below: 256)) }
    return PixelBuffer(width: width, height: height, format: format, bytes: bytes)
  }

  func mean(_ frame: PixelBuffer) -> Double {
    frame.bytes.reduce(0) { $0 + Double($1) } / Double(frame.bytes.count)
  }

  @Test(arguments: PixelFormat.allCases)
  func uniformFramesStayUniform(format: PixelFormat) {
    for value: UInt8 in [0, 1, 77, 254, 255] {
      let bytes = [UInt8](repeating: value, count: 37 * 23 * format.channels)
      let frame = PixelBuffer(width: 37, height: 23, format: format, bytes: bytes)
      for (width, height) in [(12, 7), (84, 84), (36, 24), (1, 1), (37, 5)] {
        let resized = frame.resized(width: width, height: height)
        #expect(resized.width == width && resized.height == height && resized.format == format)
        #expect(Set(resized.bytes) == [value])
      }
    }
  }

  @Test func shrinkingByAnIntegerFactorAveragesBlocks() {
    let frame = Self.noise(60, 40, .rgb)
    let small = frame.resized(width: 20, height: 10)
    for y in 0..<10 {
      for x in 0..<20 {
        for channel in 0..<3 {
          var sum = 0
          for v in 0..<4 {
            for u in 0..<3 { sum += Int(frame.bytes[(4 * y + v) * 180 + (3 * x + u) * 3 + channel]) }
          }
          let value = Double(small.bytes[y * 60 + x * 3 + channel])
          #expect(abs(value - Double(sum) / 12) < 0.52)
        }
      }
    }
  }

  /// Rows equal to the row above are copied. With noise in another channel, they are computed. Both results are the
  /// same.
  @Test(arguments: [(84, 84), (21, 30), (160, 300), (40, 7)])
  func copiedRowsEqualComputedRows(_ width: Int, _ height: Int) {
    let noise = Self.noise(160, 210, .rgb)
    var (flat, mixed) = (PixelBuffer(width: 160, height: 210, format: .gray), noise)
    var random = Random(seed: Seed(5))
    var source = 0
    for y in 0..<210 {
      if random.chance(0.25) { source = y }
      for x in 0..<160 {
        flat.bytes[y * 160 + x] = noise.bytes[(source * 160 + x) * 3]
        mixed.bytes[(y * 160 + x) * 3] = flat.bytes[y * 160 + x]
      }
    }
    let (copied, computed) = (
      flat.resized(width: width, height: height), mixed.resized(width: width, height: height)
    )
    #expect(copied.bytes == (0..<width * height).map { computed.bytes[3 * $0] })
  }

  /// A video in which a few bytes change: only rows that differ from the previous frame are computed.
  @Test(arguments: PixelFormat.allCases, [(84, 84), (16, 11), (40, 60)])
  func unchangedRowsAreNotRecomputed(_ format: PixelFormat, _ size: (Int, Int)) {
    var picture = Self.noise(40, 60, format)
    var screen = PixelBuffer(width: size.0, height: size.1, format: format)
    var shown: [UInt8]?
    for change in 0..<12 {
      screen.fill(resizing: picture.bytes.span, width: 40, height: 60, format: format, after: shown)
      #expect(screen == picture.resized(width: size.0, height: size.1), "after \(change) changes")
      shown = picture.bytes
      picture.bytes[(change * 7919 + 13) % picture.bytes.count] ^= 0xff
      if change == 8 { picture.bytes = picture.bytes.map { $0 / 2 } }
    }
    // If the source equals `shown`, the frame is not changed.
    var other = PixelBuffer(width: size.0, height: size.1, format: format)
    other.fill(resizing: picture.bytes.span, width: 40, height: 60, format: format, after: picture.bytes)
    #expect(other == PixelBuffer(width: size.0, height: size.1, format: format))
  }

  @Test func shrinkingKeepsTheMean() {
    let frame = Self.noise(210, 160, .gray)
    #expect(abs(mean(frame.resized(width: 84, height: 84)) - mean(frame)) < 0.2)
    #expect(abs(mean(frame.resized(width: 84, height: 160)) - mean(frame)) < 0.2)
  }

  @Test func growingInterpolatesLinearly() {
    let ramp = PixelBuffer(width: 4, height: 1, format: .gray, bytes: [0, 80, 160, 240])
    #expect(ramp.resized(width: 8, height: 2).bytes[..<8] == [0, 20, 60, 100, 140, 180, 220, 240])
    #expect(ramp.resized(width: 8, height: 2).bytes[8...] == [0, 20, 60, 100, 140, 180, 220, 240])
    #expect(ramp.resized(width: 4, height: 1) == ramp)
  }

  @Test func formatsConvert() {
    let frame = PixelBuffer(width: 2, height: 1, format: .rgb, bytes: [255, 0, 0, 10, 10, 10])
    #expect(frame.converted(to: .gray).bytes == [76, 10])
    let gray = Self.noise(9, 7, .gray)
    #expect(gray.converted(to: .rgb).converted(to: .gray) == gray)
    #expect(
      frame.magnified(by: 2).bytes == [255, 0, 0, 255, 0, 0, 10, 10, 10, 10, 10, 10, 255, 0, 0, 255, 0, 0]
        + [10, 10, 10, 10, 10, 10])
  }
}
