import Core

/// A memory-mapped array in a `.npy` file. Rows are read from disk on first access.
public struct NumPyArray<Element: NumPyElement>: Sendable {
  /// The shape; elements are in row-major order.
  public let shape: [Int]
  private let file: MappedFile
  private let offset: Int

  /// Opens an array of this element type.
  ///
  /// - Throws: `WorldError` with the path if the file is incomplete, damaged or has another element type.
  public init(path: String) throws {
    file = try MappedFile(path: path)
    let header: NumPyHeader
    do { (header, offset) = try file.withBytes { try NumPyHeader.parse($0) } } catch let error as InputError {
      throw WorldError(path: path, error.description)
    }
    guard header.type == Element.numPyType else {
      throw WorldError(path: path, "has element type \(header.type.rawValue), expected \(Element.numPyType.rawValue)")
    }
    guard offset % MemoryLayout<Element>.alignment == 0 else {
      throw WorldError(path: path, "has its data at the unaligned offset \(offset): write it with numpy.save")
    }
    shape = header.shape
  }

  public var path: String { file.path }
  /// The size of the first dimension; 1 for a scalar.
  public var rowCount: Int { shape.first ?? 1 }
  /// The number of elements of a row: the product of all dimensions but the first.
  public var rowSize: Int { shape.dropFirst().reduce(1, *) }

  /// Calls `body` with all elements in row-major order.
  public func withElements<Result>(_ body: (Span<Element>) throws -> Result) rethrows -> Result {
    try file.withBytes { bytes in
      try body(Span(_bytes: bytes.extracting(offset..<bytes.byteCount)))
    }
  }

  /// Calls `body` with the elements of one row.
  public func withRow<Result>(_ row: Int, _ body: (Span<Element>) throws -> Result) rethrows -> Result {
    precondition(row >= 0 && row < rowCount, "row \(row) is out of range for an array of \(rowCount) rows")
    return try withElements { try body($0.extracting(row * rowSize..<(row + 1) * rowSize)) }
  }

  /// A copy of all elements.
  public var elements: [Element] { withElements { unsafe $0.withUnsafeBufferPointer { unsafe Array($0) } } }

  /// A copy of one row.
  public subscript(row: Int) -> [Element] { withRow(row) { unsafe $0.withUnsafeBufferPointer { unsafe Array($0) } } }

  /// The xxHash64 of the file. Computing it reads the whole file.
  public var fingerprint: UInt64 { file.withBytes { xxHash64($0) } }
}
