import Pixels

/// A traced picture, computed in packets of eight pixels of a row, with the ID of what each pixel shows.
struct TracedPicture: Sendable {
  let width: Int
  let height: Int
  /// The number of packets per row.
  let across: Int
  /// An ID of everything visible in each pixel, by packet. There is an edge between pixels with different IDs.
  private(set) var seen: [SIMD8<Int32>]
  /// The hits of each packet; empty if they are not kept.
  private var hits: [Tracer.Hit]

  init(width: Int, height: Int, keepsHits: Bool = false) {
    self.width = width
    self.height = height
    across = Self.packets(width)
    seen = [SIMD8<Int32>](repeating: SIMD8(repeating: 0), count: across * height)
    hits = keepsHits ? [Tracer.Hit](repeating: Tracer.Hit(), count: across * height) : []
  }

  static func packets(_ width: Int) -> Int { (width + Lanes.count - 1) / Lanes.count }

  /// Returns rays through the centres of eight pixels.
  @inline(__always)
  static func rays(_ lens: Projection, row: Int, packet: Int) -> LaneVectors {
    lens.rays(firstCenters + Float(packet * Lanes.count), Lanes(Float(row) + 0.5))
  }

  /// Draws every pixel.
  ///
  /// - Parameter sky: the colours of each packet for rays that hit nothing.
  mutating func trace(_ tracer: Tracer, _ sky: [LaneVectors], into frame: inout PixelBuffer) {
    var candidates: [Int] = []
    for row in 0..<height {
      tracer.list(&candidates, inRow: row)
      for packet in 0..<across {
        let index = row * across + packet
        let area = PixelArea(row: row, packet: packet)
        let d = Self.rays(tracer.lens, row: row, packet: packet)
        let hit = tracer.hit(d, in: area, among: candidates)
        if !hits.isEmpty { hits[index] = hit }
        let found = tracer.colors(
          hit, along: d, in: area, .all, sky: sky[index], background: tracer.background?[index])
        seen[index] = found.seen
        PixelBytes(found.colors).write(.all, into: &frame, row, packet * Lanes.count)
      }
    }
  }

  /// Draws the pixels that differ from the backdrop.
  mutating func trace(
    _ tracer: Tracer, _ sky: [LaneVectors], over backdrop: Backdrop, _ touches: [Backdrop.Touch],
    into frame: inout PixelBuffer
  ) {
    seen = backdrop.picture.seen
    frame.bytes = backdrop.frame.bytes
    for row in 0..<height {
      for packet in 0..<across where touches[row * across + packet] != .nothing {
        let index = row * across + packet
        let area = PixelArea(row: row, packet: packet)
        let d = Self.rays(tracer.lens, row: row, packet: packet)
        let behind = backdrop.picture.hits[index]
        let hit = tracer.hit(d, in: area, among: tracer.moving, behind: behind)
        let mask = touches[index] == .cover ? !LaneMask(hit.part, are: behind.part) : .all
        if mask.isEmpty { continue }
        let found = tracer.colors(
          hit, along: d, in: area, mask, sky: sky[index], background: tracer.background?[index])
        seen[index] = choose(mask, found.seen, seen[index])
        PixelBytes(found.colors).write(mask, into: &frame, row, packet * Lanes.count)
      }
    }
  }
}

/// The centres of the first eight pixels of a row.
private let firstCenters = Lanes(SIMD8(0.5, 1.5, 2.5, 3.5, 4.5, 5.5, 6.5, 7.5))

/// Eight colours as bytes.
struct PixelBytes {
  private let red: SIMD8<Int32>
  private let green: SIMD8<Int32>
  private let blue: SIMD8<Int32>

  @inline(__always)
  init(_ colors: LaneVectors) {
    @inline(__always)
    func level(_ x: Lanes) -> SIMD8<Int32> { (min(max(x, Lanes(0)), Lanes(1)) * 255).integers }
    (red, green, blue) = (level(colors.x), level(colors.y), level(colors.z))
  }

  @inline(__always)
  subscript(lane: Int) -> Color {
    Color(
      UInt8(truncatingIfNeeded: red[lane]), UInt8(truncatingIfNeeded: green[lane]),
      UInt8(truncatingIfNeeded: blue[lane]))
  }

  /// All bytes in order, the first in the lowest bits.
  @inline(__always)
  private var words: InlineArray<3, UInt64> {
    let packed = red | green &<< 8 | blue &<< 16
    func pixel(_ lane: Int) -> UInt64 { UInt64(UInt32(bitPattern: packed[lane])) }
    return [
      pixel(0) | pixel(1) << 24 | pixel(2) << 48, pixel(2) >> 16 | pixel(3) << 8 | pixel(4) << 32 | pixel(5) << 56,
      pixel(5) >> 8 | pixel(6) << 16 | pixel(7) << 40,
    ]
  }

  /// Writes the masked pixels of a packet that are inside the frame.
  @inline(__always)
  func write(_ mask: LaneMask, into frame: inout PixelBuffer, _ row: Int, _ first: Int) {
    let (stride, count) = (frame.stride, min(Lanes.count, frame.width - first))
    switch frame.format {
    case .gray:
      var bytes = frame.bytes.mutableSpan
      for lane in 0..<count where mask[lane] { bytes[row * stride + first + lane] = self[lane].luminance }
    case .rgb:
      var bytes = frame.bytes.mutableSpan
      if count == Lanes.count && (!mask).isEmpty {
        var raw = unsafe bytes.mutableBytes
        let words = words
        for index in words.indices {
          let at = row * stride + 3 * first + 8 * index
          raw.storeBytes(of: words[index].littleEndian, toByteOffset: at, as: UInt64.self)
        }
        return
      }
      for lane in 0..<count where mask[lane] {
        let (at, color) = (row * stride + 3 * (first + lane), self[lane])
        bytes[at] = color.red
        bytes[at + 1] = color.green
        bytes[at + 2] = color.blue
      }
    }
  }
}

extension PixelBuffer {
  /// Sets one pixel.
  mutating func set(_ row: Int, _ column: Int, _ color: Color) {
    switch format {
    case .gray: bytes[row * stride + column] = color.luminance
    case .rgb:
      let at = row * stride + 3 * column
      bytes[at] = color.red
      bytes[at + 1] = color.green
      bytes[at + 2] = color.blue
    }
  }
}
