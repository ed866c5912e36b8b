import Core

/// Decompresses DEFLATE data (RFC 1951), as in the files of `numpy.savez_compressed`.
///
/// - Parameters:
///   - size: the size of the whole result in bytes, which the archive states.
///   - limit: the number of bytes to return at least, if only the beginning is needed; nil for all.
/// - Throws: `InputError` with the reason, without the path.
func inflated(_ data: RawSpan, size: Int, limit: Int? = nil) throws -> [UInt8] {
  // No code is shorter than a bit, and none stands for more than 258 bytes: reject the rest before it takes memory.
  guard size <= 8 * 258 * (data.byteCount + 1) else {
    throw InputError("is damaged: \(data.byteCount) compressed bytes cannot have a content of \(size)")
  }
  let wanted = min(limit ?? size, size)
  var reader = BitReader(bytes: unsafe data.withUnsafeBytes { unsafe Array($0) })
  var output: [UInt8] = []
  output.reserveCapacity(wanted)
  var isLast = false
  while !isLast && (limit == nil || output.count < wanted) {
    isLast = try reader.take(1) == 1
    switch try reader.take(2) {
    case 0: try reader.copy(into: &output)
    case 1:
      // The codes of a block that does not define its own.
      let lengths = (0..<288).map { $0 < 144 ? 8 : $0 < 256 ? 9 : $0 < 280 ? 7 : 8 }
      let (literals, distances) = (
        try HuffmanCode(lengths: lengths), try HuffmanCode(lengths: [Int](repeating: 5, count: 30))
      )
      try reader.expand(into: &output, literals, distances, most: size)
    case 2:
      let (literals, distances) = try reader.codes()
      try reader.expand(into: &output, literals, distances, most: size)
    default: throw damaged
    }
    guard output.count <= size else { throw damaged }
  }
  guard limit != nil || output.count == size else { throw damaged }
  return output
}

private let damaged = InputError("is damaged: its compressed data is not valid")

/// A canonical Huffman code as a table: the next bits are the index of the symbol and its length.
private struct HuffmanCode {
  /// The number of bits of the longest code.
  let width: Int
  /// `symbol << 4 | length` for each value of the next `width` bits; 0 if they begin no code.
  private(set) var table: [UInt16]

  /// - Parameter lengths: the number of bits of each symbol's code; 0 for symbols that do not occur.
  init(lengths: [Int]) throws {
    width = max(1, lengths.max() ?? 0)
    table = [UInt16](repeating: 0, count: 1 << width)
    var (code, left) = (0, 1)
    for length in 1...15 {
      left *= 2
      code *= 2
      for symbol in lengths.indices where lengths[symbol] == length {
        left -= 1
        guard left >= 0 else { throw damaged }
        // Codes are stored with their first bit lowest.
        let first = (0..<length).reduce(0) { $0 | (code >> $1 & 1) << (length - 1 - $1) }
        for index in stride(from: first, to: table.count, by: 1 << length) {
          table[index] = UInt16(symbol << 4 | length)
        }
        code += 1
      }
    }
  }
}

private struct BitReader {
  let bytes: [UInt8]
  private var position = 0
  /// The bits that were read from `bytes` but not taken yet, the next one lowest.
  private var bits: UInt64 = 0
  private var count = 0

  init(bytes: [UInt8]) { self.bytes = bytes }

  private mutating func fill() {
    while count <= 56, position < bytes.count {
      bits |= UInt64(bytes[position]) << UInt64(count)
      position += 1
      count += 8
    }
  }

  /// Takes the next `n` bits, at most 16, as a number whose lowest bit came first.
  mutating func take(_ n: Int) throws -> Int {
    if count < n { fill() }
    guard count >= n else { throw damaged }
    let value = Int(bits & ((1 << UInt64(n)) - 1))
    bits >>= UInt64(n)
    count -= n
    return value
  }

  private mutating func symbol(_ code: HuffmanCode) throws -> Int {
    if count < code.width { fill() }
    let entry = Int(code.table[Int(bits & ((1 << UInt64(code.width)) - 1))])
    let length = entry & 15
    guard length > 0, length <= count else { throw damaged }
    bits >>= UInt64(length)
    count -= length
    return entry >> 4
  }

  /// Copies a block that is not compressed.
  mutating func copy(into output: inout [UInt8]) throws {
    _ = try take(count % 8)
    let length = try take(16)
    guard try take(16) == length ^ 0xffff else { throw damaged }
    for _ in 0..<length { output.append(UInt8(try take(8))) }
  }

  /// Reads the codes that a block defines, which are themselves compressed.
  mutating func codes() throws -> (literals: HuffmanCode, distances: HuffmanCode) {
    let (literals, distances, kinds) = (try take(5) + 257, try take(5) + 1, try take(4) + 4)
    let order = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15]
    var kindLengths = [Int](repeating: 0, count: 19)
    for kind in order.prefix(kinds) { kindLengths[kind] = try take(3) }
    let code = try HuffmanCode(lengths: kindLengths)
    var lengths: [Int] = []
    while lengths.count < literals + distances {
      switch try symbol(code) {
      case 16:
        guard let last = lengths.last else { throw damaged }
        lengths += repeatElement(last, count: try take(2) + 3)
      case 17: lengths += repeatElement(0, count: try take(3) + 3)
      case 18: lengths += repeatElement(0, count: try take(7) + 11)
      case let length: lengths.append(length)
      }
    }
    guard lengths.count == literals + distances else { throw damaged }
    return (
      try HuffmanCode(lengths: Array(lengths[..<literals])), try HuffmanCode(lengths: Array(lengths[literals...]))
    )
  }

  /// Expands a compressed block: bytes, and copies of earlier bytes.
  ///
  /// - Parameter most: the number of bytes of the whole output, which the block must not exceed.
  mutating func expand(
    into output: inout [UInt8], _ literals: HuffmanCode, _ distances: HuffmanCode, most: Int
  ) throws {
    while true {
      let next = try symbol(literals)
      if next < 256 {
        output.append(UInt8(next))
        continue
      }
      if next == 256 { return }
      guard next <= 285 else { throw damaged }
      let length = Self.lengths[next - 257] + (try take(Self.lengthBits[next - 257]))
      let place = try symbol(distances)
      guard place < 30 else { throw damaged }
      let distance = Self.distances[place] + (try take(Self.distanceBits[place]))
      guard distance <= output.count, output.count + length <= most else { throw damaged }
      // Byte by byte, because the copy may overlap itself.
      for _ in 0..<length { output.append(output[output.count - distance]) }
    }
  }

  private static let lengthBits = [
    0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 0,
  ]
  private static let lengths = [
    3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 15, 17, 19, 23, 27, 31, 35, 43, 51, 59, 67, 83, 99, 115, 131, 163, 195, 227, 258,
  ]
  private static let distanceBits = (0..<30).map { max(0, $0 / 2 - 1) }
  private static let distances = distanceBits.reduce(into: [1]) { $0.append($0[$0.count - 1] + 1 << $1) }
}
