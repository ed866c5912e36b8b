import Core

/// The header of a safetensors file: names, types, shapes and byte ranges of the tensors, and metadata.
///
/// Layout of a file: the header's length as a little-endian u64, the header as JSON padded with spaces to a multiple of
/// 8, then the elements, little-endian in row-major order.
public struct SafetensorsHeader: Sendable {
  /// The supported element types.
  public enum ElementType: String, Sendable {
    case float32 = "F32"
    case float64 = "F64"

    /// The size of an element in bytes.
    public var size: Int { self == .float32 ? 4 : 8 }
  }

  public struct Entry: Sendable, Hashable {
    public let name: String
    public let type: ElementType
    public let shape: [Int]
    /// The byte range in the data after the header.
    public let range: Range<Int>
  }

  public private(set) var entries: [Entry] = []
  /// The entries of `__metadata__`, in file order.
  public var metadata: [(key: String, value: String)]

  /// Creates a header without tensors.
  public init(metadata: [(key: String, value: String)] = []) { self.metadata = metadata }

  /// Adds a tensor, whose data follows the data of the previous tensor.
  public mutating func append(_ name: String, _ type: ElementType, shape: [Int]) {
    let start = byteCount
    entries.append(Entry(name: name, type: type, shape: shape, range: start..<start + shape.reduce(type.size, *)))
  }

  /// The size of all elements in bytes.
  public var byteCount: Int { entries.last?.range.upperBound ?? 0 }

  /// The longest header that readers accept, in bytes.
  static let limit = 100_000_000
}

// MARK: - Writing

extension SafetensorsHeader {
  /// The bytes of the file before its elements.
  public var bytes: [UInt8] {
    var members: [JSON.Member] = []
    if !metadata.isEmpty {
      members.append(.init("__metadata__", .object(metadata.map { .init($0.key, .string($0.value)) })))
    }
    members += entries.map { entry in
      .init(
        entry.name,
        [
          "dtype": .string(entry.type.rawValue), "shape": .array(entry.shape.map(JSON.integer)),
          "data_offsets": [.integer(entry.range.lowerBound), .integer(entry.range.upperBound)],
        ])
    }
    var header = Array(JSON.object(members).description.utf8)
    header.append(contentsOf: repeatElement(UInt8(ascii: " "), count: -header.count & 7))
    return littleEndian(UInt64(header.count)) + header
  }
}

// MARK: - Reading

extension SafetensorsHeader {
  /// Parses the header at the start of a file.
  ///
  /// It rejects headers that are truncated, too long, not strict JSON or not in the format; tensors that overlap, leave
  /// gaps or do not end at the end of the file; element types other than F32 and F64; and tensors with too many axes.
  ///
  /// - Parameters:
  ///   - bytes: the whole file.
  ///   - maximumRank: the maximum number of axes of a tensor.
  /// - Returns: the header, and the offset of the elements.
  /// - Throws: `InputError` with the reason, without the path.
  public static func parse(_ bytes: [UInt8], maximumRank: Int) throws -> (header: SafetensorsHeader, offset: Int) {
    guard bytes.count >= 8 else { throw InputError("\(bytes.count) bytes are too few for the header's length") }
    let length = unsafe bytes.span.bytes.word(UInt64.self, at: 0)
    guard length <= limit else { throw InputError("the header's length \(length) is over the limit of \(limit)") }
    let start = 8 + Int(length)
    guard start <= bytes.count else {
      throw InputError("the header's length \(length) does not fit in a file of \(bytes.count) bytes")
    }
    let json: JSON
    do { json = try JSON(parsing: bytes[8..<start], depth: 3) } catch let error as InputError {
      throw InputError("the header is invalid: \(error)")
    }
    guard let members = json.members else { throw InputError("the header is not a JSON object") }
    var header = SafetensorsHeader()
    for member in members {
      if member.key == "__metadata__" {
        header.metadata = try parseMetadata(member.value)
      } else {
        header.entries.append(try Entry(member, maximumRank: maximumRank))
      }
    }
    try header.checkCoverage(of: bytes.count - start)
    return (header, start)
  }

  private static func parseMetadata(_ value: JSON) throws -> [(key: String, value: String)] {
    guard let members = value.members else { throw InputError("__metadata__ is not a JSON object") }
    return try members.map { member in
      guard let text = member.value.text else {
        throw InputError("__metadata__ must map strings to strings, but \"\(member.key)\" is \(member.value)")
      }
      return (member.key, text)
    }
  }

  /// Throws unless the tensors cover the data exactly, without gaps or overlaps.
  private func checkCoverage(of count: Int) throws {
    var end = 0
    for entry in entries.sorted(by: {
      ($0.range.lowerBound, $0.range.upperBound) < ($1.range.lowerBound, $1.range.upperBound)
    }) {
      guard entry.range.lowerBound == end else {
        throw InputError(
          "tensor \"\(entry.name)\" starts at byte \(entry.range.lowerBound) of the data, "
            + (entry.range.lowerBound < end
              ? "before the previous one ends at \(end)" : "after a gap from \(end)"))
      }
      end = entry.range.upperBound
      guard end <= count else {
        throw InputError("tensor \"\(entry.name)\" ends at byte \(end) of the data, which has only \(count)")
      }
    }
    guard end == count else { throw InputError("\(count - end) bytes follow the last tensor") }
  }
}

extension SafetensorsHeader.Entry {
  fileprivate init(_ member: JSON.Member, maximumRank: Int) throws {
    name = member.key
    func wrong(_ reason: String) -> InputError { InputError("tensor \"\(member.key)\": \(reason)") }
    guard let fields = member.value.members, Set(fields.map(\.key)) == ["dtype", "shape", "data_offsets"] else {
      throw wrong("its entry must have dtype, shape and data_offsets, and nothing else")
    }
    guard let type = member.value["dtype"]?.text.flatMap(SafetensorsHeader.ElementType.init) else {
      throw wrong("the element type \(member.value["dtype"] ?? .null) is not one of F32 and F64")
    }
    guard let extents = member.value["shape"]?.array else { throw wrong("its shape is not an array") }
    guard extents.count <= maximumRank else {
      throw wrong("it has \(extents.count) axes, more than the maximum of \(maximumRank)")
    }
    var size = type.size
    for extent in extents {
      guard let extent = extent.int, extent >= 0, extent <= Int32.max else {
        throw wrong("an axis cannot have \(extent) elements")
      }
      let (product, overflow) = size.multipliedReportingOverflow(by: extent)
      guard !overflow else { throw wrong("its shape \(member.value["shape"] ?? .null) is too large") }
      size = product
    }
    self.type = type
    shape = extents.compactMap(\.int)

    guard let offsets = member.value["data_offsets"]?.array, offsets.count == 2,
      let begin = offsets[0].int, let end = offsets[1].int, begin >= 0, begin <= end
    else { throw wrong("its data_offsets must be a start and an end") }
    guard end - begin == size else {
      throw wrong("its shape \(shape) needs \(size) bytes, but its data_offsets span \(end - begin)")
    }
    range = begin..<end
  }
}
