import CPNG
import Core

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

  /// Throws unless each chunk lies within the file, up to the end chunk: libpng makes room for as many bytes as a chunk
  /// says that it has, before it looks for them.
  static func checkLengths(in file: [UInt8]) throws {
    guard file.starts(with: signature) else { throw InputError("it does not begin as a PNG file does") }
    var position = signature.count
    while position + 12 <= file.count {
      let length = file[position..<position + 4].reduce(0) { $0 << 8 | Int($1) }
      guard length <= file.count - position - 12 else { break }
      if file[position + 4..<position + 8].elementsEqual("IEND".utf8) { return }
      position += 12 + length
    }
    throw InputError("the file ends too early")
  }

  static func checksum(_ bytes: [UInt8]) -> UInt32 {
    unsafe UInt32(crc32(0, bytes, UInt32(bytes.count)))
  }
}

/// Four bytes, the highest first.
func bigEndian(_ value: UInt32) -> [UInt8] { (0..<4).map { UInt8(truncatingIfNeeded: value >> (24 - 8 * $0)) } }

/// Two bytes, the highest first.
func bigEndian(_ value: UInt16) -> [UInt8] { [UInt8(value >> 8), UInt8(value & 255)] }
