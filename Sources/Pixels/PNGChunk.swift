import CPNG

/// A piece of a PNG file: four letters and what they hold.
struct PNGChunk: Hashable {
  var type: String
  var data: [UInt8]

  /// The eight bytes that every PNG file starts with.
  static let signature: [UInt8] = [137, 80, 78, 71, 13, 10, 26, 10]

  /// Length, type, data and CRC, as they stand in a file.
  var bytes: [UInt8] {
    let checked = Array(type.utf8) + data
    return bigEndian(UInt32(data.count)) + checked + bigEndian(Self.checksum(checked))
  }

  /// The chunks of a file that libpng wrote, in order.
  static func all(of file: [UInt8]) -> [PNGChunk] {
    var chunks: [PNGChunk] = []
    var position = signature.count
    while position + 12 <= file.count {
      let length = file[position..<position + 4].reduce(0) { $0 << 8 | Int($1) }
      let type = String(decoding: file[position + 4..<position + 8], as: UTF8.self)
      chunks.append(PNGChunk(type: type, data: Array(file[position + 8..<position + 8 + length])))
      position += 12 + length
    }
    return chunks
  }

  static func checksum(_ bytes: [UInt8]) -> UInt32 {
    unsafe UInt32(crc32(0, bytes, UInt32(bytes.count)))
  }
}

/// Four bytes, the highest first.
func bigEndian(_ value: UInt32) -> [UInt8] { (0..<4).map { UInt8(truncatingIfNeeded: value >> (24 - 8 * $0)) } }

/// Two bytes, the highest first.
func bigEndian(_ value: UInt16) -> [UInt8] { [UInt8(value >> 8), UInt8(value & 255)] }
