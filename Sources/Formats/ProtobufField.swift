/// A numbered field of a Protocol Buffers message, for encoding (protobuf.dev, "Encoding").
public enum ProtobufField {
  /// `int32`, `int64` and enumerations.
  case integer(Int, Int)
  case float(Int, Float)
  case double(Int, Double)
  case string(Int, String)
  case bytes(Int, [UInt8])
  case message(Int, [ProtobufField])

  /// Encodes a message.
  public static func encode(_ fields: [ProtobufField]) -> [UInt8] {
    var bytes: [UInt8] = []
    for field in fields { field.write(to: &bytes) }
    return bytes
  }

  private func write(to target: inout [UInt8]) {
    switch self {
    case .integer(let number, let value):
      Self.write(varint: UInt64(number) << 3 | 0, to: &target)
      Self.write(varint: UInt64(bitPattern: Int64(value)), to: &target)
    case .double(let number, let value):
      Self.write(varint: UInt64(number) << 3 | 1, to: &target)
      target += littleEndian(value.bitPattern)
    case .float(let number, let value):
      Self.write(varint: UInt64(number) << 3 | 5, to: &target)
      target += littleEndian(value.bitPattern)
    case .bytes(let number, let value):
      Self.write(varint: UInt64(number) << 3 | 2, to: &target)
      Self.write(varint: UInt64(value.count), to: &target)
      target += value
    case .string(let number, let value): Self.bytes(number, Array(value.utf8)).write(to: &target)
    case .message(let number, let fields): Self.bytes(number, Self.encode(fields)).write(to: &target)
    }
  }

  /// Writes seven bits per byte, the lowest first. All bytes but the last have the highest bit set.
  private static func write(varint value: UInt64, to target: inout [UInt8]) {
    var rest = value
    while rest >= 0x80 {
      target.append(UInt8(truncatingIfNeeded: rest) | 0x80)
      rest >>= 7
    }
    target.append(UInt8(rest))
  }
}
