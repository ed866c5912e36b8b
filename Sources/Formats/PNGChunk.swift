import Core

/// A chunk of a PNG file: a type of four letters and data.
public struct PNGChunk: Hashable {
  public var type: String
  public var data: [UInt8]

  public init(type: String, data: [UInt8]) { (self.type, self.data) = (type, data) }

  /// The first eight bytes of every PNG file.
  public static let signature: [UInt8] = [137, 80, 78, 71, 13, 10, 26, 10]

  /// Length, type, data and CRC, as stored in a file.
  public var bytes: [UInt8] {
    let checked = Array(type.utf8) + data
    return bigEndian(UInt32(data.count)) + checked + bigEndian(Self.checksum(checked))
  }

  /// Returns the chunks of a valid PNG file, such as one written by libpng, in order.
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

  /// Throws unless every chunk up to the end chunk fits in the file. libpng would allocate as many bytes as a chunk
  /// claims to have before reading them.
  public static func checkLengths(in file: [UInt8]) throws {
    guard file.starts(with: signature) else { throw InputError("it does not start with the PNG signature") }
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
