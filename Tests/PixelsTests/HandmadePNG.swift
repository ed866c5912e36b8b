import Formats

@testable import Pixels

/// Writes uncompressed PNG files of every kind, for testing the decoder.
struct HandmadePNG {
  enum Kind: UInt8, CaseIterable {
    case gray = 0
    case rgb = 2
    case palette = 3
    case grayAlpha = 4
    case rgbAlpha = 6

    var samples: Int { [.gray: 1, .rgb: 3, .palette: 1, .grayAlpha: 2, .rgbAlpha: 4][self]! }
    var depths: [Int] {
      switch self {
      case .gray: [1, 2, 4, 8, 16]
      case .palette: [1, 2, 4, 8]
      default: [8, 16]
      }
    }
  }

  var width = 13
  var height = 11
  var kind: Kind
  var depth: Int
  var isInterlaced = false

  var highest: Int { 1 << depth - 1 }

  /// A pattern in which adjacent samples differ.
  func sample(_ x: Int, _ y: Int, _ channel: Int) -> Int {
    let value = x * 37 + y * 101 + channel * 59 + x * y * 7
    return depth == 16 ? value * 523 % 65_536 : value % (highest + 1)
  }

  static func paletteColor(_ index: Int) -> Color {
    Color(UInt8(index * 53 % 256), UInt8(index * 151 % 256), UInt8(255 - index % 256))
  }
  static func paletteAlpha(_ index: Int) -> Int { index % 3 == 1 ? 100 : 255 }

  /// The expected 8-bit value of each channel, blended with black.
  func expected(_ x: Int, _ y: Int) -> [Double] {
    if kind == .palette {
      let index = sample(x, y, 0)
      let color = Self.paletteColor(index)
      return [color.red, color.green, color.blue].map { Double($0) * Double(Self.paletteAlpha(index)) / 255 }
    }
    let values = (0..<kind.samples).map { Double(sample(x, y, $0)) * 255 / Double(highest) }
    switch kind {
    case .grayAlpha: return [values[0] * values[1] / 255]
    case .rgbAlpha: return values[0..<3].map { $0 * values[3] / 255 }
    default: return values
    }
  }

  var bytes: [UInt8] {
    var header = bigEndian(UInt32(width)) + bigEndian(UInt32(height))
    header += [UInt8(depth), kind.rawValue, 0, 0, isInterlaced ? 1 : 0]
    var chunks = [PNGChunk(type: "IHDR", data: header)]
    if kind == .palette {
      let colors = (0...highest).map(Self.paletteColor)
      chunks.append(PNGChunk(type: "PLTE", data: colors.flatMap { [$0.red, $0.green, $0.blue] }))
      chunks.append(PNGChunk(type: "tRNS", data: (0...highest).map { UInt8(Self.paletteAlpha($0)) }))
    }
    chunks.append(PNGChunk(type: "IDAT", data: Self.stored(rows)))
    chunks.append(PNGChunk(type: "IEND", data: []))
    return PNGChunk.signature + chunks.flatMap(\.bytes)
  }

  /// The rows of all passes. A pass is (first column, first row, column step, row step): seven for Adam7, otherwise
  /// one.
  private var rows: [UInt8] {
    let adam7 = [
      (0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2),
    ]
    var rows: [UInt8] = []
    for (left, top, acrossStep, downStep) in isInterlaced ? adam7 : [(0, 0, 1, 1)] where left < width {
      for y in stride(from: top, to: height, by: downStep) {
        rows.append(0)  // no filter
        var bits: [Bool] = []
        for x in stride(from: left, to: width, by: acrossStep) {
          for channel in 0..<kind.samples {
            let value = sample(x, y, channel)
            bits += (0..<depth).reversed().map { value >> $0 & 1 == 1 }
          }
        }
        for start in stride(from: 0, to: bits.count, by: 8) {
          rows.append((0..<8).reduce(UInt8(0)) { $0 << 1 | (start + $1 < bits.count && bits[start + $1] ? 1 : 0) })
        }
      }
    }
    return rows
  }

  /// Returns a zlib stream of one stored block.
  static func stored(_ data: [UInt8]) -> [UInt8] {
    let count = UInt16(data.count)
    var (a, b) = (UInt32(1), UInt32(0))
    for byte in data {
      a = (a + UInt32(byte)) % 65_521
      b = (b + a) % 65_521
    }
    return [0x78, 0x01, 1] + bigEndian(count.byteSwapped) + bigEndian((~count).byteSwapped) + data
      + bigEndian(b << 16 | a)
  }
}
