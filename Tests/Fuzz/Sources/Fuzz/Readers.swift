import Core
import Tensors

@testable import Formats
@testable import Networks
@testable import Pixels

extension Reader {
  /// `JSON(parsing:)`: values round-trip through writing and parsing.
  static let json = Reader(name: "json") {
    let texts = [
      "{\"a\": [1, -2.5e-3, true, null], \"b\": {\"c\": \"\\u00e9\\ud83d\\ude00\\n\"}}", "[[[[[[1]]]]]]", "\"é\"",
      "-0.0", "1e308", "9223372036854775807", "{}",
    ]
    return texts.map { Array($0.utf8) }
  } read: { bytes in
    let json = try JSON(parsing: bytes)
    precondition(again { try JSON(parsing: json.description) } == json, "does not round-trip: \(json)")
    precondition(again { try JSON(parsing: json.indented) } == json, "does not round-trip: \(json)")
  }

  /// The header of a `.npy` file.
  static let numPy = Reader(name: "npy") {
    [[], [0], [3], [2, 3], [1, 2, 1, 2]].flatMap { shape in
      NumPyType.allCases.map { type in
        NumPyHeader(type: type, shape: shape).bytes + Array(repeating: 7, count: shape.reduce(type.size, *))
      }
    }
  } read: { bytes in
    let (header, offset) = try NumPyHeader.parse(bytes.span.bytes)
    let size = header.shape.contains(0) ? 0 : header.shape.reduce(header.type.size, *)
    precondition(offset + size == bytes.count, "\(header) does not fill \(bytes.count) bytes")
    let written = header.bytes + bytes[offset...]
    precondition(again { try NumPyHeader.parse(written.span.bytes).header } == header)
  }

  /// The directory and the arrays of a `.npz` file. Checksums are not checked.
  static let numPyArchive = Reader(name: "npz") {
    try [[], [("a", [1, 2, 3])], [("timesteps", [1]), ("results", [0.5, 2, 3, 4]), ("x", [])]].map { arrays in
      let path = "/tmp/pixelrl-fuzz-seed.npz"
      var writer = try NumPyArchiveWriter(path: path)
      for (name, elements) in arrays { try writer.append(name, elements as [Double], shape: [elements.count]) }
      try writer.commit()
      return try readBytes(from: path)
    } + [zip64()]
  } read: { bytes in
    let archive = bytes.span.bytes
    var covered = 0
    for member in try ZIPDirectory(of: archive).members {
      covered += member.range.count
      let array = archive.extracting(member.range)
      if let size = member.entry.contentSize {
        let content = try inflated(array, size: size)
        precondition(content.count == size)
        continue
      }
      let (elements, shape): ([Double], [Int]) = try NumPyArchive.array(in: array)
      precondition(elements.count == shape.reduce(1, *))
    }
    precondition(covered < bytes.count)
  }

  /// An archive with ZIP64 records, which small files do not need.
  private static func zip64() -> [UInt8] {
    let array = NumPyHeader(type: .float64, shape: [1]).bytes + [0, 0, 0, 0, 0, 0, 240, 63]
    var entry = ZIPEntry(name: "a.npy", crc: CyclicRedundancyCheck.crc32(array), size: array.count, offset: 0)
    let bytes = entry.local + array
    entry.offset = 0
    let directory = entry.central
    let end = ZIPEnd(count: 0xffff, size: directory.count, offset: bytes.count).bytes
    var patched = bytes + directory + end
    // The file count is 1 instead of the number that requires ZIP64 records.
    for offset in [24, 32] {
      patched.replaceSubrange(
        bytes.count + directory.count + offset..<bytes.count + directory.count + offset + 8,
        with: littleEndian(UInt64(1)))
    }
    return patched
  }

  /// A safetensors file: tensors round-trip through writing and parsing.
  static let safetensors = Reader(name: "safetensors") {
    let tensors: [[(String, Tensor)]] = [
      [], [("a", Tensor([1, 2, 3, 4, 5, 6] as [Float], [2, 3]))],
      [
        ("b.weight", Tensor([0.5] as [Double], [1, 1, 1, 1])), ("b.bias", Tensor([] as [Float], [0])),
        ("c", Tensor([7] as [Float], [])),
      ],
    ]
    return tensors.map { Safetensors($0, metadata: $0.isEmpty ? [] : [("agent", "sac"), ("step", "1")]).bytes }
  } read: { bytes in
    let file = try Safetensors(parsing: bytes)
    let second = again { try Safetensors(parsing: file.bytes) }
    precondition(Set(second.tensors.map(\.name)) == Set(file.tensors.map(\.name)))
    for (name, value) in file.tensors {
      precondition(second[name]?.shape == value.shape && second[name]?.precision == value.precision)
    }
  }

  /// Frames and their text. If libpng rejects the input, it is tried again with corrected checksums. libpng is not
  /// instrumented, so the fuzzer gets no coverage from it.
  static let png = Reader(name: "png") {
    var frame = PixelBuffer(width: 5, height: 4, format: .rgb)
    for index in frame.bytes.indices { frame.bytes[index] = UInt8(truncatingIfNeeded: index * 37) }
    let path = "/tmp/pixelrl-fuzz-seed.png"
    try AnimatedPNG.write([frame, PixelBuffer(width: 5, height: 4, format: .rgb)], to: path, framesPerSecond: 25)
    return try [
      PNG.encode(frame, text: ["run": "a", "why": "é"]), PNG.encode(PixelBuffer(width: 3, height: 2, format: .gray)),
      PNG.encode(frame, level: 0), readBytes(from: path),
    ]
  } read: { bytes in
    let limit = 1 << 14
    let frame: PixelBuffer
    do { frame = try PNG.decode(bytes, limit: limit).frame } catch {
      frame = try PNG.decode(repaired(bytes), limit: limit).frame
    }
    precondition(frame.width * frame.height <= limit && frame.bytes.count == frame.stride * frame.height)
    let written = again { try PNG.encode(frame, level: 0) }
    precondition(again { try PNG.decode(written).frame } == frame)
  }

  /// Returns the file with corrected checksums of all complete chunks.
  private static func repaired(_ file: [UInt8]) -> [UInt8] {
    var file = file
    var position = PNGChunk.signature.count
    while position + 12 <= file.count {
      let length = file[position..<position + 4].reduce(0) { $0 << 8 | Int($1) }
      let end = position + 8 + length
      guard end + 4 <= file.count else { break }
      file.replaceSubrange(end..<end + 4, with: bigEndian(PNGChunk.checksum(Array(file[position + 4..<end]))))
      position = end + 4
    }
    return file
  }
}
