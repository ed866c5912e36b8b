/// A file in a ZIP archive (PKWARE, APPNOTE.TXT 6.3.10), and its records. We write only uncompressed files.
struct ZIPEntry: Sendable, Hashable {
  var name: String
  /// The checksum of the file's content.
  var crc: UInt32
  /// The size of the file's data in the archive in bytes.
  var size: Int
  /// The size of the content if the data is compressed; nil if it is not.
  var contentSize: Int?
  /// The offset of its local record, which precedes the data.
  var offset: Int

  static let localSignature: UInt32 = 0x0403_4b50
  static let centralSignature: UInt32 = 0x0201_4b50
  /// The offset of the checksum in the local record.
  static let crcPlace = 14
  /// The flag for a UTF-8 name. Without it, the name is in a legacy code page.
  static let utf8Flag: UInt16 = 1 << 11
  /// The value of a 32-bit field whose actual value is in the ZIP64 extra field.
  static let elsewhere: UInt32 = 0xffff_ffff
  /// The ID of the ZIP64 extra field, with 64-bit sizes and offsets.
  static let extra64: UInt16 = 1

  /// The local record, before the file's data.
  var local: [UInt8] {
    let isLong = size >= Int(Self.elsewhere)
    let extra = isLong ? Self.extra([size, size]) : []
    return littleEndian(Self.localSignature) + common(isLong: isLong, sizeIsElsewhere: isLong)
      + littleEndian(UInt16(name.utf8.count)) + littleEndian(UInt16(extra.count)) + Array(name.utf8) + extra
  }

  /// The record in the central directory.
  var central: [UInt8] {
    let sizeIsElsewhere = size >= Int(Self.elsewhere)
    let offsetIsElsewhere = offset >= Int(Self.elsewhere)
    let isLong = sizeIsElsewhere || offsetIsElsewhere
    let extra = isLong ? Self.extra((sizeIsElsewhere ? [size, size] : []) + (offsetIsElsewhere ? [offset] : [])) : []
    let (comment, disk, internalAttributes): (UInt16, UInt16, UInt16) = (0, 0, 0)
    let attributes: UInt32 = 0o644 << 16
    var bytes = littleEndian(Self.centralSignature) + littleEndian(Self.version(isLong: isLong))
    bytes += common(isLong: isLong, sizeIsElsewhere: sizeIsElsewhere)
    bytes += littleEndian(UInt16(name.utf8.count)) + littleEndian(UInt16(extra.count)) + littleEndian(comment)
    bytes += littleEndian(disk) + littleEndian(internalAttributes) + littleEndian(attributes)
    bytes += littleEndian(offsetIsElsewhere ? Self.elsewhere : UInt32(offset))
    return bytes + Array(name.utf8) + extra
  }

  /// The fields shared by both records. The date is fixed to 1980, so that the output is deterministic.
  private func common(isLong: Bool, sizeIsElsewhere: Bool) -> [UInt8] {
    let flags = name.utf8.allSatisfy { $0 < 128 } ? 0 : Self.utf8Flag
    let (method, time, date): (UInt16, UInt16, UInt16) = (0, 0, 1 << 5 | 1)
    let size = littleEndian(sizeIsElsewhere ? Self.elsewhere : UInt32(size))
    return littleEndian(Self.version(isLong: isLong)) + littleEndian(flags) + littleEndian(method) + littleEndian(time)
      + littleEndian(date) + littleEndian(crc) + size + size
  }

  private static func extra(_ values: [Int]) -> [UInt8] {
    littleEndian(extra64) + littleEndian(UInt16(8 * values.count)) + values.flatMap { littleEndian(UInt64($0)) }
  }

  static func version(isLong: Bool) -> UInt16 { isLong ? 45 : 20 }
}

/// The records at the end of a ZIP archive, with the size and the offset of its directory.
struct ZIPEnd: Sendable, Hashable {
  var count: Int
  var size: Int
  var offset: Int

  static let signature: UInt32 = 0x0605_4b50
  static let byteCount = 22
  static let signature64: UInt32 = 0x0606_4b50
  static let byteCount64 = 56
  static let locatorSignature: UInt32 = 0x0706_4b50
  static let locatorByteCount = 20

  var bytes: [UInt8] {
    let isLong = count >= 0xffff || size >= Int(ZIPEntry.elsewhere) || offset >= Int(ZIPEntry.elsewhere)
    let (disk, comment): (UInt16, UInt16) = (0, 0)
    var bytes = isLong ? long : []
    bytes += littleEndian(Self.signature) + littleEndian(disk) + littleEndian(disk)
    let shortCount = littleEndian(isLong ? UInt16.max : UInt16(count))
    bytes += shortCount + shortCount
    bytes += littleEndian(isLong ? ZIPEntry.elsewhere : UInt32(size))
    bytes += littleEndian(isLong ? ZIPEntry.elsewhere : UInt32(offset))
    return bytes + littleEndian(comment)
  }

  /// The ZIP64 end record and its locator.
  private var long: [UInt8] {
    let (version, disk, disks) = (ZIPEntry.version(isLong: true), UInt32(0), UInt32(1))
    var bytes = littleEndian(Self.signature64) + littleEndian(UInt64(Self.byteCount64 - 12))
    bytes += littleEndian(version) + littleEndian(version) + littleEndian(disk) + littleEndian(disk)
    for value in [count, count, size, offset] { bytes += littleEndian(UInt64(value)) }
    bytes += littleEndian(Self.locatorSignature) + littleEndian(disk) + littleEndian(UInt64(offset + size))
    return bytes + littleEndian(disks)
  }
}
