import Core

/// The files of a ZIP archive, checked: stored files under plain names that lie end to end before the archive's directory,
/// which tells the same of each as its own record, and nothing else.
struct ZIPDirectory: Sendable {
  /// A file and where its bytes lie in the archive.
  struct Member: Sendable, Hashable {
    var entry: ZIPEntry
    var range: Range<Int>
  }

  let members: [Member]

  /// Reads the directory of an archive's bytes.
  /// - Throws: `InputError` that says what is wrong, without the path.
  init(of archive: RawSpan) throws {
    let end = try ZIPEnd(of: archive)
    var position = end.offset
    var names: Set<String> = []
    var members: [Member] = []
    for _ in 0..<end.count {
      let (entry, length) = try ZIPEntry.central(in: archive, at: position, before: end.offset + end.size)
      guard names.insert(entry.name).inserted else { throw InputError("holds two files named \(entry.name)") }
      members.append(Member(entry: entry, range: try entry.range(in: archive, before: end.offset)))
      position += length
    }
    guard position == end.offset + end.size else { throw InputError("has a directory with bytes that are no record") }
    var covered = 0
    for member in members.sorted(by: { $0.entry.offset < $1.entry.offset }) {
      guard member.entry.offset == covered else {
        let what = member.entry.offset < covered ? "overlaps the file before it" : "comes after a hole"
        throw InputError("is no sound ZIP archive: \(member.entry.name) \(what)")
      }
      covered = member.range.upperBound
    }
    guard covered == end.offset else { throw InputError("is no sound ZIP archive: a hole is before its directory") }
    self.members = members
  }
}

extension ZIPEnd {
  /// Reads the end of an archive.
  init(of archive: RawSpan) throws {
    let start = archive.byteCount - Self.byteCount
    guard start >= 0, archive.word(UInt32.self, at: start) == Self.signature else {
      throw InputError("is cut short or is no ZIP archive: its end is not the end record of one")
    }
    func short(_ offset: Int) -> Int { Int(archive.word(UInt16.self, at: start + offset)) }
    func long(_ offset: Int) -> Int { Int(archive.word(UInt32.self, at: start + offset)) }
    guard short(4) == 0, short(6) == 0, short(8) == short(10), short(20) == 0 else {
      throw InputError("is one of several parts of a ZIP archive, or has a comment: neither is read")
    }
    (count, size, offset) = (short(8), long(12), long(16))
    var directoryEnd = start
    if count == 0xffff || size == ZIPEntry.elsewhere || offset == ZIPEntry.elsewhere {
      directoryEnd = start - Self.locatorByteCount - Self.byteCount64
      self = try Self(longAt: directoryEnd, of: archive)
    }
    guard offset <= directoryEnd, size == directoryEnd - offset else {
      throw InputError("is no sound ZIP archive: its directory does not end where its end record begins")
    }
  }

  private init(longAt start: Int, of archive: RawSpan) throws {
    let locator = start + Self.byteCount64
    guard start >= 0, archive.word(UInt32.self, at: start) == Self.signature64,
      archive.word(UInt64.self, at: start + 4) == UInt64(Self.byteCount64 - 12),
      archive.word(UInt32.self, at: locator) == Self.locatorSignature,
      archive.word(UInt64.self, at: locator + 8) == UInt64(start)
    else { throw InputError("is no sound ZIP archive: its end record of 64 bits is missing") }
    let counts = [24, 32, 40, 48].map { Int(exactly: archive.word(UInt64.self, at: start + $0)) }
    guard let count = counts[0], counts[1] == count, let size = counts[2], let offset = counts[3],
      archive.word(UInt32.self, at: start + 16) == 0, archive.word(UInt32.self, at: start + 20) == 0
    else { throw InputError("is no sound ZIP archive: its end record of 64 bits is damaged") }
    self.init(count: count, size: size, offset: offset)
  }
}

extension ZIPEntry {
  /// Reads a record of the directory.
  fileprivate static func central(in archive: RawSpan, at start: Int, before end: Int) throws -> (Self, length: Int) {
    guard start + 46 <= end, archive.word(UInt32.self, at: start) == centralSignature else {
      throw InputError("has a damaged directory: a record is missing at its byte \(start)")
    }
    let head = try ZIPHead(in: archive, at: start + 6, nameAt: start + 46, skipping: 6, end: end)
    guard archive.word(UInt16.self, at: start + 32) == 0, archive.word(UInt16.self, at: start + 34) == 0 else {
      throw InputError("has a comment or a second part at \(head.name): neither is read")
    }
    var values = head.longValues
    let size = try head.size(from: &values)
    let stated = archive.word(UInt32.self, at: start + 42)
    guard let offset = stated == elsewhere ? values.popLast() : Int(stated), offset <= start else {
      throw InputError("has a damaged directory: \(head.name) lies beyond it")
    }
    let entry = ZIPEntry(name: head.name, crc: head.crc, size: size, offset: offset)
    return (entry, 46 + head.length)
  }

  /// Where the file's bytes lie, once its own record has said the same.
  fileprivate func range(in archive: RawSpan, before end: Int) throws -> Range<Int> {
    guard offset + 30 <= end, archive.word(UInt32.self, at: offset) == Self.localSignature else {
      throw InputError("has no record of \(name) where its directory says")
    }
    let head = try ZIPHead(in: archive, at: offset + 4, nameAt: offset + 30, skipping: 0, end: end)
    var values = head.longValues
    guard head.name == name, head.crc == crc, try head.size(from: &values) == size else {
      throw InputError("says one thing of \(name) in its directory and another before its bytes")
    }
    let start = offset + 30 + head.length
    guard size <= end - start else { throw InputError("is cut short: \(name) does not fit before the directory") }
    return start..<start + size
  }
}

/// What both records of a file have in common.
private struct ZIPHead {
  let name: String
  let crc: UInt32
  /// As the 32 bits say it.
  let statedSize: UInt32
  /// The numbers of the extra field of 64 bits, the last first.
  let longValues: [Int]
  /// Bytes of the name and the extra fields.
  let length: Int

  /// - Parameters:
  ///   - start: where the version stands that a reader must know.
  ///   - nameStart: where the name stands.
  init(in archive: RawSpan, at start: Int, nameAt nameStart: Int, skipping: Int, end: Int) throws {
    let nameCount = Int(archive.word(UInt16.self, at: start + 22))
    let extraCount = Int(archive.word(UInt16.self, at: start + 24))
    length = nameCount + extraCount
    guard length <= end - nameStart else { throw InputError("has a damaged directory: a name is cut short") }
    let flags = archive.word(UInt16.self, at: start + 2)
    name = try Self.name(
      archive.extracting(nameStart..<nameStart + nameCount), isUTF8: flags & ZIPEntry.utf8Flag != 0)
    // The other flags ask for what a stored file does not have.
    guard flags & ~ZIPEntry.utf8Flag == 0 else {
      throw InputError("has \(name) encrypted, or without its size before it")
    }
    guard archive.word(UInt16.self, at: start + 4) == 0 else {
      throw InputError("has \(name) compressed: save with numpy.savez, not numpy.savez_compressed")
    }
    crc = archive.word(UInt32.self, at: start + 10)
    statedSize = archive.word(UInt32.self, at: start + 14)
    guard archive.word(UInt32.self, at: start + 18) == statedSize else {
      throw InputError("states two sizes of \(name), which is stored")
    }
    longValues = try Self.longValues(archive.extracting(nameStart + nameCount..<nameStart + length))
  }

  func size(from values: inout [Int]) throws -> Int {
    guard statedSize == ZIPEntry.elsewhere else { return Int(statedSize) }
    guard let size = values.popLast(), values.popLast() == size else {
      throw InputError("states no size, or two, of \(name)")
    }
    return size
  }

  /// A name that is no way to another place.
  private static func name(_ bytes: RawSpan, isUTF8: Bool) throws -> String {
    let characters = (0..<bytes.byteCount).map { bytes.word(UInt8.self, at: $0) }
    guard let name = String(validating: characters, as: UTF8.self), !name.isEmpty,
      characters.allSatisfy({ $0 >= 0x20 && $0 != 0x7f && ($0 < 0x80 || isUTF8) }), !name.contains("/"),
      !name.contains("\\"), name != ".",
      name != ".."
    else { throw InputError("holds a file whose name is empty, not UTF-8, or a path") }
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
            throw InputError("states a size that no disk holds")
          }
          values.insert(value, at: 0)
        }
      }
      position += 4 + count
    }
    return values
  }
}
