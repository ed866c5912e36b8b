/// A record of TensorFlow's files, as TensorBoard's event files have them: bytes between check sums of their length and of
/// themselves.
public enum TFRecord {
  /// A message as it stands in the file.
  public static func bytes(of message: [UInt8]) -> [UInt8] {
    let length = littleEndian(UInt64(message.count))
    return length + littleEndian(masked(length)) + message + littleEndian(masked(message))
  }

  /// The check sum of bytes that may hold check sums themselves.
  private static func masked(_ bytes: [UInt8]) -> UInt32 {
    let check = CyclicRedundancyCheck.crc32c(bytes)
    return (check >> 15 | check << 17) &+ 0xa282_ead8
  }
}
