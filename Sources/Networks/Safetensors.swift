import Core
import Tensors

/// Named tensors with notes, as a file that the Python package `safetensors` reads and writes too.
///
/// Layout: the header's length as a little-endian u64, the header as JSON padded with spaces to a multiple of 8, then the
/// elements, little-endian in row-major order.
public struct Safetensors: Sendable {
  public var tensors: [(name: String, value: Tensor)]
  /// The notes under `__metadata__`, in the order of the file.
  public var metadata: [(key: String, value: String)]

  public init(_ tensors: [(name: String, value: Tensor)], metadata: [(key: String, value: String)] = []) {
    precondition(
      Set(tensors.map(\.name)).count == tensors.count && Set(metadata.map(\.key)).count == metadata.count,
      "each tensor and each note has a name of its own")
    precondition(!tensors.contains { $0.name == "__metadata__" }, "__metadata__ is the name of the notes")
    self.tensors = tensors
    self.metadata = metadata
  }

  public subscript(name: String) -> Tensor? { tensors.first { $0.name == name }?.value }

  /// The longest header that readers accept, in bytes.
  static let headerLimit = 100_000_000
}

// MARK: - Writing

extension Safetensors {
  /// Writes the file whole or not at all. Throws `WorldError` with the path.
  public func write(to path: String) throws { try writeAtomically(bytes, to: path) }

  /// The file: the larger element type first, then by name, as the official writer orders them.
  public var bytes: [UInt8] {
    let ordered = tensors.sorted {
      $0.value.elementSize != $1.value.elementSize
        ? $0.value.elementSize > $1.value.elementSize : $0.name.utf8.lexicographicallyPrecedes($1.name.utf8)
    }
    var members: [JSON.Member] = []
    if !metadata.isEmpty {
      members.append(.init("__metadata__", .object(metadata.map { .init($0.key, .string($0.value)) })))
    }
    var end = 0
    for (name, value) in ordered {
      let start = end
      end += value.shape.count * value.elementSize
      members.append(
        .init(
          name,
          [
            "dtype": .string(value.precision == .float32 ? "F32" : "F64"),
            "shape": .array(value.shape.array.map(JSON.integer)),
            "data_offsets": [.integer(start), .integer(end)],
          ]))
    }
    var header = Array(JSON.object(members).description.utf8)
    header.append(contentsOf: repeatElement(UInt8(ascii: " "), count: -header.count & 7))
    var bytes: [UInt8] = []
    bytes.reserveCapacity(8 + header.count + end)
    bytes.append(littleEndian: UInt64(header.count))
    bytes.append(contentsOf: header)
    for (_, value) in ordered {
      switch value.precision {
      case .float32: for element in value.array { bytes.append(littleEndian: element.bitPattern) }
      case .float64: for element in value.doubles { bytes.append(littleEndian: element.bitPattern) }
      }
    }
    return bytes
  }
}

extension Tensor {
  fileprivate var elementSize: Int { precision == .float32 ? 4 : 8 }
}

extension [UInt8] {
  fileprivate mutating func append(littleEndian value: some FixedWidthInteger) {
    unsafe Swift.withUnsafeBytes(of: value.littleEndian) { unsafe append(contentsOf: $0) }
  }
}
