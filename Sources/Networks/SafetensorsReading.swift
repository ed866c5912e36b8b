import Core
import Tensors

extension Safetensors {
  /// Reads a file of `float32` and `float64` tensors. Throws `WorldError` with the path and what is wrong.
  public init(contentsOf path: String) throws {
    let bytes = try readBytes(from: path)
    do { try self.init(parsing: bytes) } catch let error as InputError {
      throw WorldError(path: path, "is no sound safetensors file: \(error)")
    }
  }

  /// Reads the bytes of a file. Throws `InputError` with what is wrong; nothing is allocated that the bytes do not hold.
  ///
  /// Refused: a header that is cut off, too long, not strict JSON or not of the format's form; tensors that overlap, leave
  /// holes or do not end with the file; element types other than F32 and F64; more than four axes.
  public init(parsing bytes: [UInt8]) throws {
    guard bytes.count >= 8 else { throw InputError("\(bytes.count) bytes cannot hold the header's length") }
    let length = bytes.loadLittleEndian(UInt64.self, at: 0)
    guard length <= Self.headerLimit else {
      throw InputError("the header's length \(length) is over the limit of \(Self.headerLimit)")
    }
    let start = 8 + Int(length)
    guard start <= bytes.count else {
      throw InputError("the header's length \(length) does not fit a file of \(bytes.count) bytes")
    }
    let header: JSON
    do { header = try JSON(parsing: bytes[8..<start], depth: 3) } catch let error as InputError {
      throw InputError("the header is not sound: \(error)")
    }
    guard let members = header.members else { throw InputError("the header is no JSON object") }

    metadata = []
    var entries: [Entry] = []
    for member in members {
      if member.key == "__metadata__" {
        metadata = try Self.notes(member.value)
      } else {
        entries.append(try Entry(member))
      }
    }
    try Self.checkCoverage(entries, of: bytes.count - start)
    tensors = entries.map { ($0.name, $0.tensor(from: bytes, at: start)) }
  }

  private static func notes(_ value: JSON) throws -> [(key: String, value: String)] {
    guard let members = value.members else { throw InputError("__metadata__ is no JSON object") }
    return try members.map { member in
      guard let text = member.value.text else {
        throw InputError("__metadata__ maps strings to strings, but \"\(member.key)\" to \(member.value)")
      }
      return (member.key, text)
    }
  }

  /// The tensors lie end to end, from the first byte of the data to the last.
  private static func checkCoverage(_ entries: [Entry], of count: Int) throws {
    var end = 0
    for entry in entries.sorted(by: {
      ($0.range.lowerBound, $0.range.upperBound) < ($1.range.lowerBound, $1.range.upperBound)
    }) {
      guard entry.range.lowerBound == end else {
        throw InputError(
          "tensor \"\(entry.name)\" starts at byte \(entry.range.lowerBound) of the data, "
            + (entry.range.lowerBound < end
              ? "before the end of the one before it, \(end)" : "after a hole from \(end)"))
      }
      end = entry.range.upperBound
      guard end <= count else {
        throw InputError("tensor \"\(entry.name)\" ends at byte \(end) of the data, which has \(count)")
      }
    }
    guard end == count else { throw InputError("\(count - end) bytes follow the last tensor") }
  }
}

/// One tensor as the header describes it.
private struct Entry {
  let name: String
  let precision: Precision
  let shape: Shape
  /// Where its bytes lie in the data.
  let range: Range<Int>

  init(_ member: JSON.Member) throws {
    name = member.key
    func wrong(_ reason: String) -> InputError { InputError("tensor \"\(member.key)\": \(reason)") }
    guard let fields = member.value.members, Set(fields.map(\.key)) == ["dtype", "shape", "data_offsets"] else {
      throw wrong("its entry must have dtype, shape and data_offsets, and nothing else")
    }
    switch member.value["dtype"]?.text {
    case "F32": precision = .float32
    case "F64": precision = .float64
    default: throw wrong("the element type \(member.value["dtype"] ?? .null) is not one of F32 and F64")
    }

    guard let extents = member.value["shape"]?.array else { throw wrong("its shape is no array") }
    guard extents.count <= Shape.maximumRank else {
      throw wrong("it has \(extents.count) axes, more than \(Shape.maximumRank)")
    }
    var size = precision == .float32 ? 4 : 8
    for extent in extents {
      guard let extent = extent.int, extent >= 0, extent <= Int32.max else {
        throw wrong("an axis cannot have \(extent) elements")
      }
      let (product, overflow) = size.multipliedReportingOverflow(by: extent)
      guard !overflow else { throw wrong("its shape \(member.value["shape"] ?? .null) is too large") }
      size = product
    }
    shape = Shape(extents.compactMap(\.int))

    guard let offsets = member.value["data_offsets"]?.array, offsets.count == 2,
      let begin = offsets[0].int, let end = offsets[1].int, begin >= 0, begin <= end
    else { throw wrong("its data_offsets must be a begin and an end") }
    guard end - begin == size else {
      throw wrong("its shape \(shape) takes \(size) bytes, but its data_offsets give it \(end - begin)")
    }
    range = begin..<end
  }

  func tensor(from bytes: [UInt8], at start: Int) -> Tensor {
    let first = start + range.lowerBound
    switch precision {
    case .float32:
      return Tensor(shape, of: Float.self) { target in
        for i in 0..<target.count {
          target[i] = Float(bitPattern: bytes.loadLittleEndian(UInt32.self, at: first + 4 * i))
        }
      }
    case .float64:
      return Tensor(shape, of: Double.self) { target in
        for i in 0..<target.count {
          target[i] = Double(bitPattern: bytes.loadLittleEndian(UInt64.self, at: first + 8 * i))
        }
      }
    }
  }
}

extension [UInt8] {
  fileprivate func loadLittleEndian<Word: FixedWidthInteger & BitwiseCopyable>(_ type: Word.Type, at offset: Int)
    -> Word
  {
    precondition(offset >= 0 && offset + MemoryLayout<Word>.size <= count, "byte \(offset) is beyond \(count)")
    return unsafe Word(littleEndian: span.bytes.unsafeLoadUnaligned(fromByteOffset: offset, as: Word.self))
  }
}
