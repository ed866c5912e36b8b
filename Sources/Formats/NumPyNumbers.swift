import Core

/// An array of numbers of any type, such as actions or rewards that another program has saved.
public struct NumPyNumbers: Sendable, Hashable {
  /// The type of the elements in the file.
  public let type: NumPyType
  public let shape: [Int]
  /// The elements in row-major order; those of a boolean array are 0 and 1.
  public let elements: [Double]

  /// Reads a whole `.npy` file.
  ///
  /// - Throws: `InputError` with the reason, without the path.
  init(parsing bytes: RawSpan) throws {
    let (header, offset) = try NumPyHeader.parse(bytes)
    (type, shape) = (header.type, header.shape)
    let (type, size) = (header.type, header.type.size)
    elements = (0..<(bytes.byteCount - offset) / size).map { type.number(in: bytes, at: offset + $0 * size) }
  }

  /// Whether the elements can be indices: they are stored as whole numbers.
  public var isWhole: Bool {
    switch type {
    case .uint8, .int8, .int16, .int32, .int64: true
    case .bool, .float16, .float32, .float64: false
    }
  }
}

extension NumPyArchive {
  /// Reads an array of numbers of any type.
  ///
  /// - Throws: `WorldError` with the path if the array is missing or damaged.
  public func numbers(_ name: String) throws -> NumPyNumbers { try read(name) { try NumPyNumbers(parsing: $0) } }
}

extension NumPyType {
  /// Reads an element.
  fileprivate func number(in bytes: RawSpan, at offset: Int) -> Double {
    switch self {
    case .bool, .uint8: Double(bytes.word(UInt8.self, at: offset))
    case .int8: Double(bytes.word(Int8.self, at: offset))
    case .int16: Double(bytes.word(Int16.self, at: offset))
    case .int32: Double(bytes.word(Int32.self, at: offset))
    case .int64: Double(bytes.word(Int64.self, at: offset))
    case .float16: Double(Float16(bitPattern: bytes.word(UInt16.self, at: offset)))
    case .float32: Double(Float(bitPattern: bytes.word(UInt32.self, at: offset)))
    case .float64: Double(bitPattern: bytes.word(UInt64.self, at: offset))
    }
  }
}
