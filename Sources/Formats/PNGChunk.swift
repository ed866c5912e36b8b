import Core

/// A piece of a PNG file: four letters and what they hold.
public struct PNGChunk: Hashable {
  public var type: String
  public var data: [UInt8]

  public init(type: String, data: [UInt8]) { (self.type, self.data) = (type, data) }

  /// The eight bytes that every PNG file starts with.
  public static let signature: [UInt8] = [137, 80, 78, 71, 13, 10, 26, 10]

  /// Length, type, data and CRC, as they stand in a file.
  public var bytes: [UInt8] {
    let checked = Array(type.utf8) + data
    return bigEndian(UInt32(data.count)) + checked + bigEndian(Self.checksum(checked))
  }

  /// The chunks of a file that libpng wrote, in order.
  public static func all(of file: [UInt8]) -> [PNGChunk] {
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
  public static func checkLengths(in file: [UInt8]) throws {
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

  public static func checksum(_ bytes: [UInt8]) -> UInt32 {
    CyclicRedundancyCheck.crc32(bytes)
  }
}
