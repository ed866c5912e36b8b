import Core

/// The validated files of a ZIP archive. All files must have plain names and be uncompressed or deflated, and they must
/// be contiguous from the start of the archive to its directory. The directory must match the local record of each
/// file.
struct ZIPDirectory: Sendable {
  /// A file and the range of its data in the archive.
  struct Member: Sendable, Hashable {
    var entry: ZIPEntry
    var range: Range<Int>
  }

  let members: [Member]

  /// Reads the directory of an archive.
  ///
  /// - Throws: `InputError` with the reason, without the path.
  init(of archive: RawSpan) throws {
    let end = try ZIPEnd(of: archive)
    var position = end.offset
    var names: Set<String> = []
    var members: [Member] = []
    for _ in 0..<end.count {
      let (entry, length) = try ZIPEntry.central(in: archive, at: position, before: end.offset + end.size)
      guard names.insert(entry.name).inserted else { throw InputError("contains two files named \(entry.name)") }
      members.append(Member(entry: entry, range: try entry.range(in: archive, before: end.offset)))
      position += length
    }
    guard position == end.offset + end.size else { throw InputError("has invalid bytes in its directory") }
    var covered = 0
    for member in members.sorted(by: { $0.entry.offset < $1.entry.offset }) {
      guard member.entry.offset == covered else {
        let what = member.entry.offset < covered ? "overlaps the previous file" : "comes after a gap"
        throw InputError("is not a valid ZIP archive: \(member.entry.name) \(what)")
      }
      covered = member.range.upperBound
    }
    guard covered == end.offset else {
      throw InputError("is not a valid ZIP archive: it has a gap before its directory")
    }
    self.members = members
  }
}

extension ZIPEnd {
  /// Reads the end record of an archive.
  init(of archive: RawSpan) throws {
    let start = archive.byteCount - Self.byteCount
    guard start >= 0, archive.word(UInt32.self, at: start) == Self.signature else {
      throw InputError("is cut short or not a ZIP archive: it does not end with an end record")
    }
    func short(_ offset: Int) -> Int { Int(archive.word(UInt16.self, at: start + offset)) }
    func long(_ offset: Int) -> Int { Int(archive.word(UInt32.self, at: start + offset)) }
    guard short(4) == 0, short(6) == 0, short(8) == short(10), short(20) == 0 else {
      throw InputError("is a ZIP archive in several parts or with a comment: neither is supported")
    }
    (count, size, offset) = (short(8), long(12), long(16))
    var directoryEnd = start
    if count == 0xffff || size == ZIPEntry.elsewhere || offset == ZIPEntry.elsewhere {
      directoryEnd = start - Self.locatorByteCount - Self.byteCount64
      self = try Self(longAt: directoryEnd, of: archive)
    }
    guard offset <= directoryEnd, size == directoryEnd - offset else {
      throw InputError("is not a valid ZIP archive: its directory does not end at its end record")
    }
  }

  private init(longAt start: Int, of archive: RawSpan) throws {
    let locator = start + Self.byteCount64
    guard start >= 0, archive.word(UInt32.self, at: start) == Self.signature64,
      archive.word(UInt64.self, at: start + 4) == UInt64(Self.byteCount64 - 12),
      archive.word(UInt32.self, at: locator) == Self.locatorSignature,
      archive.word(UInt64.self, at: locator + 8) == UInt64(start)
    else { throw InputError("is not a valid ZIP archive: its ZIP64 end record is missing") }
    let counts = [24, 32, 40, 48].map { Int(exactly: archive.word(UInt64.self, at: start + $0)) }
    guard let count = counts[0], counts[1] == count, let size = counts[2], let offset = counts[3],
      archive.word(UInt32.self, at: start + 16) == 0, archive.word(UInt32.self, at: start + 20) == 0
    else { throw InputError("is not a valid ZIP archive: its ZIP64 end record is damaged") }
    self.init(count: count, size: size, offset: offset)
  }
}

extension ZIPEntry {
  /// Reads a record of the directory.
  fileprivate static func central(in archive: RawSpan, at start: Int, before end: Int) throws -> (Self, length: Int) {
    guard start + 46 <= end, archive.word(UInt32.self, at: start) == centralSignature else {
      throw InputError("has a damaged directory: a record is missing at byte \(start)")
    }
    let head = try ZIPHead(in: archive, at: start + 6, nameAt: start + 46, skipping: 6, end: end)
    guard archive.word(UInt16.self, at: start + 32) == 0, archive.word(UInt16.self, at: start + 34) == 0 else {
      throw InputError("has a comment or a second part at \(head.name): neither is supported")
    }
    var values = head.longValues
    let (size, contentSize) = try head.sizes(from: &values)
    let stated = archive.word(UInt32.self, at: start + 42)
    guard let offset = stated == elsewhere ? values.popLast() : Int(stated), offset <= start else {
      throw InputError("has a damaged directory: \(head.name) is not before it")
    }
    let entry = ZIPEntry(name: head.name, crc: head.crc, size: size, contentSize: contentSize, offset: offset)
    return (entry, 46 + head.length)
  }

  /// Returns the range of the file's data. Throws if the local record does not match.
  fileprivate func range(in archive: RawSpan, before end: Int) throws -> Range<Int> {
    guard offset + 30 <= end, archive.word(UInt32.self, at: offset) == Self.localSignature else {
      throw InputError("has no record of \(name) at the offset in its directory")
    }
    let head = try ZIPHead(in: archive, at: offset + 4, nameAt: offset + 30, skipping: 0, end: end)
    var values = head.longValues
    guard head.name == name, head.crc == crc, try head.sizes(from: &values) == (size, contentSize) else {
      throw InputError("has different records of \(name) in its directory and before its data")
    }
    let start = offset + 30 + head.length
    guard size <= end - start else { throw InputError("is cut short: \(name) does not fit before the directory") }
    return start..<start + size
  }
}

/// The fields that the local record and the directory record of a file share.
private struct ZIPHead {
  let name: String
  let crc: UInt32
  /// The values of the 32-bit fields: the size of the data, and that of its content.
  let statedSizes: (data: UInt32, content: UInt32)
  /// Whether the data is compressed with DEFLATE.
  let isCompressed: Bool
  /// The values of the ZIP64 extra field, in reverse order.
  let longValues: [Int]
  /// The size of the name and the extra fields in bytes.
  let length: Int

  /// - Parameters:
  ///   - start: the offset of the version needed to extract.
  ///   - nameStart: the offset of the name.
  init(in archive: RawSpan, at start: Int, nameAt nameStart: Int, skipping: Int, end: Int) throws {
    let nameCount = Int(archive.word(UInt16.self, at: start + 22))
    let extraCount = Int(archive.word(UInt16.self, at: start + 24))
    length = nameCount + extraCount
    guard length <= end - nameStart else { throw InputError("has a damaged directory: a name is cut short") }
    let flags = archive.word(UInt16.self, at: start + 2)
    name = try Self.name(
      archive.extracting(nameStart..<nameStart + nameCount), isUTF8: flags & ZIPEntry.utf8Flag != 0)
    // The flags of DEFLATE are hints about how hard it tried.
    let method = archive.word(UInt16.self, at: start + 4)
    isCompressed = method == 8
    guard flags & ~ZIPEntry.utf8Flag & ~(isCompressed ? 0b110 : 0) == 0 else {
      throw InputError("contains \(name) encrypted, or without its size before its data")
    }
    guard method == 0 || isCompressed else {
      throw InputError("contains \(name) compressed in an unknown way: save with numpy.savez or savez_compressed")
    }
    crc = archive.word(UInt32.self, at: start + 10)
    statedSizes = (archive.word(UInt32.self, at: start + 14), archive.word(UInt32.self, at: start + 18))
    guard isCompressed || statedSizes.data == statedSizes.content else {
      throw InputError("has two different sizes of \(name), which is not compressed")
    }
    longValues = try Self.longValues(archive.extracting(nameStart + nameCount..<nameStart + length))
  }

  /// The size of the data, and that of its content if it is compressed.
  func sizes(from values: inout [Int]) throws -> (size: Int, contentSize: Int?) {
    // The extra field has only those that do not fit into their fields, that of the content first.
    func size(_ stated: UInt32) throws -> Int {
      guard stated == ZIPEntry.elsewhere else { return Int(stated) }
      guard let size = values.popLast() else { throw InputError("has no ZIP64 size of \(name)") }
      return size
    }
    let content = try size(statedSizes.content)
    let data = try size(statedSizes.data)
    guard isCompressed || data == content else {
      throw InputError("has two different ZIP64 sizes of \(name), which is not compressed")
    }
    return (data, isCompressed ? content : nil)
  }

  /// Reads a name, which must not be a path.
  private static func name(_ bytes: RawSpan, isUTF8: Bool) throws -> String {
    let characters = (0..<bytes.byteCount).map { bytes.word(UInt8.self, at: $0) }
    guard let name = String(validating: characters, as: UTF8.self), !name.isEmpty,
      characters.allSatisfy({ $0 >= 0x20 && $0 != 0x7f && ($0 < 0x80 || isUTF8) }), !name.contains("/"),
      !name.contains("\\"), name != ".",
      name != ".."
    else { throw InputError("contains a file whose name is empty, not UTF-8, or a path") }
    return name
  }

  private static func longValues(_ extra: RawSpan) throws -> [Int] {
    var values: [Int] = []
    var position = 0
    while position < extra.byteCount {
      guard position + 4 <= extra.byteCount else { throw InputError("has a damaged extra field") }
      let count = Int(extra.word(UInt16.self, at: position + 2))
      guard position + 4 + count <= extra.byteCount else { throw InputError("has a damaged extra field") }
      if extra.word(UInt16.self, at: position) == ZIPEntry.extra64 {
        guard values.isEmpty, count % 8 == 0 else { throw InputError("has a damaged extra field") }
        for index in 0..<count / 8 {
          guard let value = Int(exactly: extra.word(UInt64.self, at: position + 4 + 8 * index)) else {
            throw InputError("has a size that is too large")
          }
          values.insert(value, at: 0)
        }
      }
      position += 4 + count
    }
    return values
  }
}
