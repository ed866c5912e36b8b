import Core
import Formats
import Tensors

/// Named tensors with metadata, in the file format of the Python package `safetensors`.
public struct Safetensors: Sendable {
  public var tensors: [(name: String, value: Tensor)]
  /// The entries of `__metadata__`, in the order of the file.
  public var metadata: [(key: String, value: String)]

  public init(_ tensors: [(name: String, value: Tensor)], metadata: [(key: String, value: String)] = []) {
    precondition(
      Set(tensors.map(\.name)).count == tensors.count && Set(metadata.map(\.key)).count == metadata.count,
      "the names of tensors and of metadata entries must be unique")
    precondition(!tensors.contains { $0.name == "__metadata__" }, "a tensor cannot have the name __metadata__")
    self.tensors = tensors
    self.metadata = metadata
  }

  public subscript(name: String) -> Tensor? { tensors.first { $0.name == name }?.value }
}

// MARK: - Writing

extension Safetensors {
  /// Writes the file atomically. Throws `WorldError` with the path.
  public func write(to path: String) throws { try writeAtomically(bytes, to: path) }

  /// The bytes of the file. Tensors are sorted by element size, largest first, then by name, as in the official writer.
  public var bytes: [UInt8] {
    let ordered = tensors.sorted {
      let (first, second) = ($0.value.elementType.size, $1.value.elementType.size)
      return first != second ? first > second : $0.name.utf8.lexicographicallyPrecedes($1.name.utf8)
    }
    var header = SafetensorsHeader(metadata: metadata)
    for (name, value) in ordered { header.append(name, value.elementType, shape: value.shape.array) }
    var bytes = header.bytes
    bytes.reserveCapacity(bytes.count + header.byteCount)
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
  fileprivate var elementType: SafetensorsHeader.ElementType { precision == .float32 ? .float32 : .float64 }
}

extension [UInt8] {
  fileprivate mutating func append(littleEndian value: some FixedWidthInteger) {
    unsafe Swift.withUnsafeBytes(of: value.littleEndian) { unsafe append(contentsOf: $0) }
  }
}

// MARK: - Reading

extension Safetensors {
  /// Reads a file of `float32` and `float64` tensors. Throws `WorldError` with the path and the error.
  public init(contentsOf path: String) throws {
    let bytes = try readBytes(from: path)
    do { try self.init(parsing: bytes) } catch let error as InputError {
      throw WorldError(path: path, "is not a valid safetensors file: \(error)")
    }
  }

  /// Parses the bytes of a file. Does not allocate more memory than the bytes contain.
  ///
  /// - Throws: `InputError` for everything that `SafetensorsHeader.parse` rejects, and for more than four axes.
  public init(parsing bytes: [UInt8]) throws {
    let (header, start) = try SafetensorsHeader.parse(bytes, maximumRank: Shape.maximumRank)
    metadata = header.metadata
    tensors = header.entries.map { ($0.name, $0.tensor(from: bytes, at: start + $0.range.lowerBound)) }
  }
}

extension SafetensorsHeader.Entry {
  /// - Parameter first: the index of the first byte of its elements.
  fileprivate func tensor(from bytes: [UInt8], at first: Int) -> Tensor {
    let data = unsafe bytes.span.bytes
    switch type {
    case .float32:
      return Tensor(Shape(shape), of: Float.self) { target in
        for i in 0..<target.count { target[i] = Float(bitPattern: data.word(UInt32.self, at: first + 4 * i)) }
      }
    case .float64:
      return Tensor(Shape(shape), of: Double.self) { target in
        for i in 0..<target.count { target[i] = Double(bitPattern: data.word(UInt64.self, at: first + 8 * i)) }
      }
    }
  }
}
