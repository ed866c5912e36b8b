/// The TFRecord format, used by TensorBoard's event files: a length and its checksum, then the data and its checksum.
public enum TFRecord {
  /// Returns the record for a message.
  public static func bytes(of message: [UInt8]) -> [UInt8] {
    let length = littleEndian(UInt64(message.count))
    return length + littleEndian(masked(length)) + message + littleEndian(masked(message))
  }

  /// Returns the masked checksum, which is safe for data that contains checksums itself.
  private static func masked(_ bytes: [UInt8]) -> UInt32 {
    let check = CyclicRedundancyCheck.crc32c(bytes)
    return (check >> 15 | check << 17) &+ 0xa282_ead8
  }
}
