import Core
import Foundation
import Testing

@testable import Formats

/// Opens an archive and reads all its arrays of doubles.
private func read(_ bytes: [UInt8]) throws -> [String: [Double]] {
  let archive = unsafe bytes.span.bytes
  var arrays: [String: [Double]] = [:]
  for member in try ZIPDirectory(of: archive).members {
    let (elements, _): ([Double], [Int]) = try NumPyArchive.withContent(of: member, in: archive) {
      try NumPyArchive.array(in: $0)
    }
    arrays[member.entry.name] = elements
  }
  return arrays
}

/// A small archive built by hand, so that every part of it can be corrupted.
private struct Sample {
  var entries: [ZIPEntry] = []
  var data: [UInt8] = []
  /// The entries of the directory if they differ from `entries`.
  var central: [ZIPEntry]?
  var prefix: [UInt8] = []
  var suffix: [UInt8] = []

  static func array(_ elements: [Double]) -> [UInt8] {
    NumPyHeader(type: .float64, shape: [elements.count]).bytes + elements.flatMap { littleEndian($0.bitPattern) }
  }

  init(_ arrays: [(String, [Double])] = [("a.npy", [1, 2]), ("b.npy", [3])]) {
    for (name, elements) in arrays {
      let array = Self.array(elements)
      entries.append(
        ZIPEntry(name: name, crc: CyclicRedundancyCheck.crc32(array), size: array.count, offset: data.count))
      data += entries[entries.count - 1].local + array
    }
  }

  var bytes: [UInt8] {
    let directory = (central ?? entries).flatMap(\.central)
    let end = ZIPEnd(count: (central ?? entries).count, size: directory.count, offset: data.count + prefix.count)
    return prefix + data + directory + end.bytes + suffix
  }
}

@Suite struct NumPyArchiveTests {
  @Test func checksumsMatchTheStandards() {
    let digits = Array("123456789".utf8)
    #expect(CyclicRedundancyCheck.crc32(digits) == 0xcbf4_3926)
    #expect(CyclicRedundancyCheck.crc32c(digits) == 0xe306_9283)
    #expect(CyclicRedundancyCheck.crc32c([UInt8](repeating: 0, count: 32)) == 0x8a91_36aa)
    let start = CyclicRedundancyCheck.crc32(Array(digits[..<4]))
    #expect(CyclicRedundancyCheck.crc32(Array(digits[4...]), after: start) == 0xcbf4_3926)
  }

  @Test func arraysRoundTrip() throws {
    try withFolder { folder in
      let path = folder + "/x.npz"
      var writer = try NumPyArchiveWriter(path: path)
      try writer.append("rows", shape: [1000, 3], pieces: (0..<1000).lazy.map { [Float($0), 0.5, -1] })
      try writer.append("one", [7] as [Int64], shape: [])
      try writer.append("none", [] as [UInt8], shape: [0, 84])
      #expect(!FileManager.default.fileExists(atPath: path))
      try writer.commit()
      let archive = try NumPyArchive(path: path)
      #expect(archive.names == ["rows", "one", "none"])
      let rows = try archive.array("rows", of: Float.self)
      #expect(rows.shape == [1000, 3] && rows.elements.suffix(3) == [999, 0.5, -1])
      #expect(try archive.array("one", of: Int64.self).elements == [7])
      #expect(try archive.array("none", of: UInt8.self).shape == [0, 84])
      var error = #expect(throws: WorldError.self) { try archive.array("two", of: Int64.self) }
      #expect(error?.description == "\(path): has no array 'two': it has rows, one, none")
      error = #expect(throws: WorldError.self) { try archive.array("one", of: Double.self) }
      #expect(error?.description == "\(path): one.npy has element type <i8, expected <f8")
    }
  }

  /// An archive of one array with one element, which Python's `zipfile` can read too.
  @Test func bytesAreGolden() throws {
    let array = Sample.array([1])
    let name = Array("a.npy".utf8)
    let (size, crc) = ([136, 0, 0, 0] as [UInt8], [187, 215, 219, 215] as [UInt8])
    #expect(array.count == 136)
    let common = [0, 0, 0, 0, 0, 0, 33, 0] + crc + size + size + [5, 0, 0, 0] as [UInt8]
    let local = [0x50, 0x4b, 3, 4, 20, 0] + common + name
    let central = [0x50, 0x4b, 1, 2, 20, 0, 20, 0] + common + [0, 0, 0, 0, 0, 0, 0, 0, 164, 1, 0, 0, 0, 0] + name
    let end: [UInt8] = [0x50, 0x4b, 5, 6, 0, 0, 0, 0, 1, 0, 1, 0, 51, 0, 0, 0, 171, 0, 0, 0, 0, 0]
    let sample = Sample([("a.npy", [1])])
    #expect(sample.bytes == local + array + central + end)
    try withFolder { folder in
      var writer = try NumPyArchiveWriter(path: folder + "/x.npz")
      try writer.append("a", [1] as [Double], shape: [1])
      try writer.commit()
      #expect(try readBytes(from: folder + "/x.npz") == sample.bytes)
    }
  }

  @Test func everyTruncationIsRejected() {
    let whole = Sample().bytes
    for count in 0..<whole.count {
      #expect(throws: InputError.self, "\(count) bytes") { try read(Array(whole.prefix(count))) }
    }
  }

  /// A flipped byte causes an error, or it is in a field that is not read: versions, dates and attributes. The arrays
  /// never change.
  @Test func everyFlippedByteIsDetectedOrUnused() throws {
    let whole = Sample().bytes
    let arrays = try read(whole)
    var unused = 0
    for index in whole.indices {
      for mask: UInt8 in [0x01, 0x10, 0x80, 0xff] {
        var damaged = whole
        damaged[index] ^= mask
        do {
          #expect(try read(damaged) == arrays)
          unused += 1
        } catch is InputError {}
      }
    }
    // For each of the two files: version and date twice, version made by and attributes.
    #expect(unused <= 2 * (2 * (2 + 4) + 2 + 6) * 4)
  }

  private static let wrong: [(name: String, make: @Sendable () -> [UInt8], part: String)] = [
    ("bytes before", { sample { $0.prefix = [0] } }, "no record of a.npy"),
    ("bytes after", { sample { $0.suffix = [0] } }, "cut short or not a ZIP"),
    ("a gap before the directory", { sample { $0.data.append(0) } }, "a gap before its directory"),
    ("the same name twice", { Sample([("a.npy", [1]), ("a.npy", [2])]).bytes }, "two files named a.npy"),
    ("one file at two names", { sample { $0.central = [$0.entries[0], $0.entries[0]] } }, "two files named"),
    ("a file left out", { sample { $0.central = [$0.entries[1]] } }, "after a gap"),
    ("another name", { sample { $0.central?[0].name = "c.npy" } }, "different records of c.npy"),
    ("another checksum", { sample { $0.central?[0].crc ^= 1 } }, "different records of a.npy"),
    ("another size", { sample { $0.central?[0].size -= 1 } }, "different records of a.npy"),
    ("an offset after the directory", { sample { $0.central?[1].offset = 1 << 30 } }, "not before it"),
    ("a 64-bit offset", { sample { $0.central?[1].offset = Int.max } }, "not before it"),
    ("a 64-bit size", { sample { $0.central?[1].size = Int.max } }, "different records of b.npy"),
    ("a path", { Sample([("../a.npy", [1])]).bytes }, "a path"),
    ("a Windows path", { Sample([("c:\\a.npy", [1])]).bytes }, "a path"),
    ("no name", { Sample([("", [1])]).bytes }, "empty"),
    ("a NUL", { Sample([("a\0.npy", [1])]).bytes }, "empty, not UTF-8, or a path"),
    ("an old code page", { patched(6, [0, 0], also: [8], of: Sample([("é.npy", [1])])) }, "not UTF-8"),
    ("encrypted", { patched(6, [1, 0], also: [8], of: Sample([("a.npy", [1])])) }, "encrypted"),
    ("not deflated", { patched(8, [8, 0], also: [10], of: Sample([("a.npy", [1])])) }, "its compressed data is not"),
    ("compressed in another way", { patched(8, [9, 0], also: [10], of: Sample([("a.npy", [1])])) }, "an unknown way"),
    ("damaged", { patched(170, [1], also: [], of: Sample([("a.npy", [1])])) }, "checksum"),
  ]

  private static func sample(_ change: (inout Sample) -> Void) -> [UInt8] {
    var sample = Sample()
    sample.central = sample.entries
    change(&sample)
    return sample.bytes
  }

  /// A sample with a field of the local record changed, and the same field at other offsets of the directory record.
  private static func patched(_ offset: Int, _ field: [UInt8], also offsets: [Int], of sample: Sample) -> [UInt8] {
    var bytes = sample.bytes
    for offset in [offset] + offsets.map({ sample.data.count + $0 }) {
      bytes.replaceSubrange(offset..<offset + field.count, with: field)
    }
    return bytes
  }

  @Test(arguments: wrong.indices) func errorsForInvalidArchivesSayWhy(index: Int) {
    let (name, make, part) = Self.wrong[index]
    let error = #expect(throws: InputError.self, "\(name)") { try read(make()) }
    #expect(error?.description.contains(part) == true, "\(name): \(error?.description ?? "")")
  }

  /// Sizes and offsets of 4 GiB and more are in ZIP64 extra fields.
  @Test func largeSizesAndOffsetsUseZIP64() {
    var entry = ZIPEntry(name: "a.npy", crc: 1, size: 0xffff_fffe, offset: 0xffff_fffe)
    #expect(entry.local.count == 35 && entry.central.count == 51)
    entry.size = 1 << 32
    #expect(entry.local.suffix(20) == [1, 0, 16, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0])
    #expect(entry.local[4] == 45 && entry.central.count == 51 + 20)
    entry.offset = 1 << 33
    #expect(entry.central.count == 51 + 28)
    #expect(entry.central.suffix(8) == [0, 0, 0, 0, 2, 0, 0, 0])
    #expect(ZIPEnd(count: 1, size: 51, offset: 1 << 32).bytes.count == 98)
  }
}
