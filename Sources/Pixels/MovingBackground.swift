import Core

#if canImport(Glibc)
  import Glibc
#else
  import Foundation
#endif

/// A coloured pattern that drifts and changes, for the background of a frame: a sum of plane waves, long ones stronger
/// than short ones, as in natural pictures (Field 1987).
///
/// It fills a frame of any size. The seed determines the waves, and the time their phases.
public struct MovingBackground: Sendable {
  /// How much of what is behind the pattern it hides, from 0 to 1.
  public let opacity: Double
  private var base: SIMD3<Float>
  private var waves: [Wave] = []

  private struct Wave {
    /// The phase at the centre of the frame, and its change over the height of a frame, in radians.
    let phase: Double
    let across: Double
    let down: Double
    let color: SIMD3<Float>
  }

  /// - Parameter time: in simulator steps.
  init(seed: Seed, time: Int, opacity: Double) {
    self.opacity = opacity
    var random = Random(seed: seed)
    func drawn(_ low: Double, _ high: Double) -> Double { random.uniform(low, high) }
    /// More light and dark than colour, as in pictures of the world.
    func color(_ size: Double) -> SIMD3<Float> {
      let gray = drawn(-size, size)
      return SIMD3(
        Float(gray + 0.4 * drawn(-size, size)), Float(gray + 0.4 * drawn(-size, size)),
        Float(gray + 0.4 * drawn(-size, size)))
    }
    base = 0.5 + color(0.2)
    let heading = drawn(0, 2 * .pi)
    let speed = drawn(0.002, 0.006)  // heights of the frame per simulator step
    for number in 0..<Self.waveCount {
      let length = Self.longest * pow(Self.shortest / Self.longest, Double(number) / Double(Self.waveCount - 1))
      let direction = drawn(0, 2 * .pi)
      let frequency = 2 * .pi / length
      let (across, down) = (frequency * cos(direction), frequency * sin(direction))
      // The pattern drifts, and each wave also moves on its own, so that the pattern changes.
      let rate = speed * (across * cos(heading) + down * sin(heading)) + drawn(-0.02, 0.02)
      let start = drawn(0, 2 * .pi)
      waves.append(
        Wave(
          phase: start + rate * Double(time), across: across, down: down,
          color: color(0.4 * (length / Self.longest).squareRoot())))
    }
  }

  private static let waveCount = 8
  /// The longest and the shortest wave, in heights of the frame.
  private static let longest = 1.2
  private static let shortest = 0.12

  /// The colours of eight neighbouring pixels of a row, from 0 to 1.
  public struct Packet: Sendable {
    public var red: SIMD8<Float>
    public var green: SIMD8<Float>
    public var blue: SIMD8<Float>
  }

  /// Returns the colours for a frame of this size, row by row. A row has as many packets as cover it.
  public func packets(width: Int, height: Int) -> [Packet] {
    let across = (width + 7) / 8
    // cos(a + b) = cos a · cos b - sin a · sin b, so that only rows and columns need cosines.
    let columns = waves.map { wave in
      (0..<across).map { packet in
        var (cosines, sines) = (SIMD8<Float>(), SIMD8<Float>())
        for lane in 0..<8 {
          let x = (Double(8 * packet + lane) + 0.5 - Double(width) / 2) / Double(height)
          (cosines[lane], sines[lane]) = (Float(cos(wave.across * x)), Float(sin(wave.across * x)))
        }
        return (cosines: cosines, sines: sines)
      }
    }
    let (zero, one) = (SIMD8<Float>(), SIMD8<Float>(repeating: 1))
    var packets: [Packet] = []
    packets.reserveCapacity(across * height)
    for row in 0..<height {
      let y = (Double(row) + 0.5) / Double(height) - 0.5
      let angles = waves.map { $0.phase + $0.down * y }
      let turns = angles.map { (cosine: Float(cos($0)), sine: Float(sin($0))) }
      for packet in 0..<across {
        var sum = Packet(
          red: SIMD8(repeating: base.x), green: SIMD8(repeating: base.y), blue: SIMD8(repeating: base.z))
        for (index, wave) in waves.enumerated() {
          let column = columns[index][packet]
          let value = column.cosines * turns[index].cosine - column.sines * turns[index].sine
          sum.red += value * wave.color.x
          sum.green += value * wave.color.y
          sum.blue += value * wave.color.z
        }
        packets.append(
          Packet(
            red: sum.red.clamped(lowerBound: zero, upperBound: one),
            green: sum.green.clamped(lowerBound: zero, upperBound: one),
            blue: sum.blue.clamped(lowerBound: zero, upperBound: one)))
      }
    }
    return packets
  }
}

extension Canvas {
  /// Covers all that is drawn so far with a background.
  public mutating func cover(with background: MovingBackground) {
    let packets = background.packets(width: width, height: height)
    let (across, weight) = (packets.count / height, Int((background.opacity * 256).rounded()))
    let grid = grid
    var pixels = bytes.mutableSpan
    for y in 0..<grid.height {
      for x in 0..<grid.width {
        let (packet, lane) = (packets[y * across + x / 8], x % 8)
        func level(_ value: Float) -> UInt8 { UInt8(value * 255 + 0.5) }
        var row = Row(
          format: grid.format,
          color: Color(level(packet.red[lane]), level(packet.green[lane]), level(packet.blue[lane])))
        row.start = grid.rowStart(y)
        row.blend(x, weight: weight, into: &pixels)
      }
    }
  }
}
