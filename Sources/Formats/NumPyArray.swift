import Core

/// A `.npy` file's array, mapped into memory: rows are read from the disk when they are looked at.
public struct NumPyArray<Element: NumPyElement>: Sendable {
  /// Row-major.
  public let shape: [Int]
  private let file: MappedFile
  private let offset: Int

  /// Opens an array of this element type.
  ///
  /// Throws `WorldError` with the path on anything but a whole, intact file of that type.
  public init(path: String) throws {
    file = try MappedFile(path: path)
    let header: NumPyHeader
    do { (header, offset) = try file.withBytes { try NumPyHeader.parse($0) } } catch let error as InputError {
      throw WorldError(path: path, error.description)
    }
    guard header.type == Element.numPyType else {
      throw WorldError(path: path, "holds \(header.type.rawValue) where \(Element.numPyType.rawValue) is needed")
    }
    guard offset % MemoryLayout<Element>.alignment == 0 else {
      throw WorldError(path: path, "has its numbers at the odd place \(offset): write it with numpy.save")
    }
    shape = header.shape
  }

  public var path: String { file.path }
  /// The first size; 1 for a single number.
  public var rowCount: Int { shape.first ?? 1 }
  /// Numbers of a row: the product of all sizes but the first.
  public var rowSize: Int { shape.dropFirst().reduce(1, *) }

  /// All numbers, row after row.
  public func withElements<Result>(_ body: (Span<Element>) throws -> Result) rethrows -> Result {
    try file.withBytes { bytes in
      try body(Span(_bytes: bytes.extracting(offset..<bytes.byteCount)))
    }
  }

  /// The numbers of one row.
  public func withRow<Result>(_ row: Int, _ body: (Span<Element>) throws -> Result) rethrows -> Result {
    precondition(row >= 0 && row < rowCount, "row \(row) of an array of \(rowCount) rows")
    return try withElements { try body($0.extracting(row * rowSize..<(row + 1) * rowSize)) }
  }

  /// A copy of all numbers in memory.
  public var elements: [Element] { withElements { unsafe $0.withUnsafeBufferPointer { unsafe Array($0) } } }

  /// A copy of one row.
  public subscript(row: Int) -> [Element] { withRow(row) { unsafe $0.withUnsafeBufferPointer { unsafe Array($0) } } }

  /// The fingerprint of the whole file, which reads all of it.
  public var fingerprint: UInt64 { file.withBytes { xxHash64($0) } }
}
