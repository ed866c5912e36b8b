import Core

/// Writes a `.npy` file row by row, without knowing the number of rows in advance. `commit` writes the row count and
/// creates the file; without it nothing is written.
public struct NumPyWriter<Element: NumPyElement>: ~Copyable {
  /// The shape of a row: `[H, W, C]` for frames, `[]` for scalars.
  public let rowShape: [Int]
  public private(set) var rowCount = 0
  private let rowSize: Int
  private var file: AtomicFile
  private var pending: [UInt8] = []

  /// Creates a writer.
  ///
  /// - Throws: `WorldError` with the path and the system's reason, like all other methods.
  public init(path: String, rowShape: [Int]) throws {
    self.rowShape = rowShape
    rowSize = rowShape.reduce(1, *)
    file = try AtomicFile(path: path)
    pending.reserveCapacity(2 * bufferSize)
    pending += NumPyHeader(type: Element.numPyType, shape: [0] + rowShape).bytes
  }

  /// Appends one or more rows of shape `rowShape`. If rows are empty, appends one row.
  public mutating func append(_ rows: [Element]) throws {
    precondition(
      rowSize == 0 ? rows.isEmpty : rows.count % rowSize == 0,
      "rows of shape \(rowShape) have \(rowSize) elements each, and \(rows.count) is not a multiple")
    unsafe rows.withUnsafeBytes { unsafe pending.append(contentsOf: $0) }
    rowCount += rowSize == 0 ? 1 : rows.count / rowSize
    if pending.count >= bufferSize { try flush() }
  }

  public consuming func commit() throws {
    try flush()
    // The header has the same length for any row count, because it is padded.
    try file.overwrite(NumPyHeader(type: Element.numPyType, shape: [rowCount] + rowShape).bytes, at: 0)
    try file.commit()
  }

  private mutating func flush() throws {
    try file.append(pending)
    pending.removeAll(keepingCapacity: true)
  }
}

/// The number of bytes to buffer before writing.
private let bufferSize = 1 << 18

/// Writes a whole array as a `.npy` file.
///
/// - Throws: `WorldError` with the path and the system's reason.
public func writeNumPy<Element: NumPyElement>(_ elements: [Element], shape: [Int], to path: String) throws {
  precondition(
    elements.count == shape.reduce(1, *), "an array of shape \(shape) cannot have \(elements.count) elements")
  let data = unsafe elements.withUnsafeBytes { unsafe Array($0) }
  try writeAtomically(NumPyHeader(type: Element.numPyType, shape: shape).bytes + data, to: path)
}
