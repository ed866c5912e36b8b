/// A 32-bit cyclic redundancy check: reflected, with an initial value and a final XOR of all ones.
public struct CyclicRedundancyCheck: Sendable {
  /// CRC-32, used by ZIP and PNG (ISO 3309).
  public static let crc32 = CyclicRedundancyCheck(polynomial: 0xedb8_8320)
  /// CRC-32C (Castagnoli), used by TensorBoard's event files.
  public static let crc32c = CyclicRedundancyCheck(polynomial: 0x82f6_3b78)

  /// `[8 * 256]`: the remainder of each byte value followed by 0 to 7 zero bytes.
  private let tables: [UInt32]

  private init(polynomial: UInt32) {
    var tables = (0..<256).map { byte in
      (0..<8).reduce(UInt32(byte)) { remainder, _ in remainder >> 1 ^ (remainder & 1 == 1 ? polynomial : 0) }
    }
    for index in 256..<8 * 256 {
      let before = tables[index - 256]
      tables.append(before >> 8 ^ tables[Int(before & 255)])
    }
    self.tables = tables
  }

  /// Computes the checksum of bytes.
  ///
  /// - Parameter before: the checksum of the preceding bytes.
  public func callAsFunction(_ bytes: RawSpan, after before: UInt32 = 0) -> UInt32 {
    var remainder = ~before
    var offset = 0
    let tables = tables.span
    // Eight bytes at a time (Kounavis and Berry 2005, "slicing by 8").
    while offset + 8 <= bytes.byteCount {
      let mixed = bytes.word(UInt64.self, at: offset) ^ UInt64(remainder)
      remainder = 0
      for byte in 0..<8 { remainder ^= tables[(7 - byte) << 8 | Int(mixed >> UInt64(8 * byte) & 255)] }
      offset += 8
    }
    while offset < bytes.byteCount {
      remainder = remainder >> 8 ^ tables[Int((remainder ^ UInt32(bytes.word(UInt8.self, at: offset))) & 255)]
      offset += 1
    }
    return ~remainder
  }

  public func callAsFunction(_ bytes: [UInt8], after before: UInt32 = 0) -> UInt32 {
    unsafe self(bytes.span.bytes, after: before)
  }
}
