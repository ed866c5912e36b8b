import Core

/// Writes a `.npy` file row by row without knowing how many will come. The file appears under its name when `commit`
/// has written the count; without it nothing remains.
public struct NumPyWriter<Element: NumPyElement>: ~Copyable {
  /// The sizes of a row: `[H, W, C]` for frames, `[]` for single numbers.
  public let rowShape: [Int]
  public private(set) var rowCount = 0
  private let rowSize: Int
  private var file: AtomicFile
  private var pending: [UInt8] = []

  /// Throws `WorldError` with the path and the system's reason, as do all others here.
  public init(path: String, rowShape: [Int]) throws {
    self.rowShape = rowShape
    rowSize = rowShape.reduce(1, *)
    file = try AtomicFile(path: path)
    pending.reserveCapacity(2 * bufferSize)
    pending += NumPyHeader(type: Element.numPyType, shape: [0] + rowShape).bytes
  }

  /// Adds one row or several, each of `rowShape` numbers; one where a row has none.
  public mutating func append(_ rows: [Element]) throws {
    precondition(
      rowSize == 0 ? rows.isEmpty : rows.count % rowSize == 0,
      "rows of shape \(rowShape) have \(rowSize) numbers each, not \(rows.count) together")
    unsafe rows.withUnsafeBytes { unsafe pending.append(contentsOf: $0) }
    rowCount += rowSize == 0 ? 1 : rows.count / rowSize
    if pending.count >= bufferSize { try flush() }
  }

  public consuming func commit() throws {
    try flush()
    // The header of any count has the same length: it was padded to grow.
    try file.overwrite(NumPyHeader(type: Element.numPyType, shape: [rowCount] + rowShape).bytes, at: 0)
    try file.commit()
  }

  private mutating func flush() throws {
    try file.append(pending)
    pending.removeAll(keepingCapacity: true)
  }
}

/// Bytes gathered before they are written.
private let bufferSize = 1 << 18

/// Writes a whole array as a `.npy` file.
///
/// Throws `WorldError` with the path and the system's reason.
public func writeNumPy<Element: NumPyElement>(_ elements: [Element], shape: [Int], to path: String) throws {
  precondition(
    elements.count == shape.reduce(1, *), "an array of shape \(shape) has not \(elements.count) numbers")
  let numbers = unsafe elements.withUnsafeBytes { unsafe Array($0) }
  try writeAtomically(NumPyHeader(type: Element.numPyType, shape: shape).bytes + numbers, to: path)
}
