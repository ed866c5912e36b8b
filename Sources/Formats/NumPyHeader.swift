import Core

/// An element type of stored arrays. All are little-endian.
public enum NumPyType: String, Sendable, Hashable, CaseIterable {
  case bool = "|b1"
  case uint8 = "|u1"
  case int8 = "|i1"
  case int16 = "<i2"
  case int32 = "<i4"
  case int64 = "<i8"
  case float16 = "<f2"
  case float32 = "<f4"
  case float64 = "<f8"
}

/// A Swift number type that is stored as it is in memory.
public protocol NumPyElement: BitwiseCopyable, Sendable {
  static var numPyType: NumPyType { get }
}

extension UInt8: NumPyElement { public static var numPyType: NumPyType { .uint8 } }
extension Int64: NumPyElement { public static var numPyType: NumPyType { .int64 } }
extension Float: NumPyElement { public static var numPyType: NumPyType { .float32 } }
extension Double: NumPyElement { public static var numPyType: NumPyType { .float64 } }

/// The header of a `.npy` file (NumPy Enhancement Proposal 1, version 1.0).
public struct NumPyHeader: Sendable, Hashable {
  public var type: NumPyType
  /// The shape of the row-major array; `[]` is a scalar.
  public var shape: [Int]

  public init(type: NumPyType, shape: [Int]) {
    precondition(shape.allSatisfy { $0 >= 0 }, "a shape must not have negative dimensions: \(shape)")
    self.type = type
    self.shape = shape
  }

  /// The bytes of the header, identical to the output of `numpy.save`. Their count is a multiple of 64. As in NumPy,
  /// the first dimension is padded to 21 digits, so that the header can be overwritten when the array has grown.
  public var bytes: [UInt8] {
    let sizes = shape.map(String.init)
    let tuple = sizes.count == 1 ? "(\(sizes[0]),)" : "(\(sizes.joined(separator: ", ")))"
    var text = "{'descr': '\(type.rawValue)', 'fortran_order': False, 'shape': \(tuple), }"
    if let first = sizes.first { text += String(repeating: " ", count: 21 - first.utf8.count) }
    let unpadded = Self.prefixCount + text.utf8.count + 1
    text += String(repeating: " ", count: (64 - unpadded % 64) % 64) + "\n"
    let count = text.utf8.count
    precondition(count <= 65_535, "a shape of \(shape.count) dimensions does not fit in a header of version 1.0")
    return Self.magic + [1, 0, UInt8(count & 255), UInt8(count >> 8)] + Array(text.utf8)
  }

  static let magic = [0x93] + Array("NUMPY".utf8)
  static let prefixCount = 10
}

extension NumPyHeader {
  /// Parses the header at the start of a file.
  ///
  /// - Parameters:
  ///   - bytes: the whole file. Its size must match the header exactly.
  ///   - isWhole: false if `bytes` may be only the beginning of the file.
  /// - Returns: the header, and the offset of the data.
  /// - Throws: `InputError` with the reason, without the path.
  static func parse(_ bytes: RawSpan, isWhole: Bool = true) throws -> (header: NumPyHeader, offset: Int) {
    func byte(_ index: Int) -> Int { Int(unsafe bytes.unsafeLoad(fromByteOffset: index, as: UInt8.self)) }
    let count = bytes.byteCount
    guard count >= prefixCount, (0..<magic.count).allSatisfy({ byte($0) == Int(magic[$0]) }) else {
      throw InputError("is not a .npy file: its first bytes are not \\x93NUMPY")
    }
    let version = (byte(6), byte(7))
    let lengthBytes = version.0 == 1 ? 2 : 4
    guard (1...3).contains(version.0), version.1 == 0, count >= 8 + lengthBytes else {
      throw InputError("has version \(version.0).\(version.1) of the .npy format; supported are 1.0, 2.0 and 3.0")
    }
    let length = (0..<lengthBytes).reduce(0) { $0 | byte(8 + $1) << (8 * $1) }
    let offset = 8 + lengthBytes + length
    guard length <= 1 << 20, offset <= count else {
      throw InputError("is cut short: its header of \(length) bytes does not fit in the file of \(count)")
    }
    let text = (8 + lengthBytes..<offset).map { UInt8(byte($0)) }
    var parser = NumPyHeaderParser(text: text)
    let header = try parser.header()
    if isWhole { try header.checkSize(count - offset) }
    return (header, offset)
  }

  /// Throws unless the data after the header has exactly the size given by the header.
  private func checkSize(_ present: Int) throws {
    // Check for overflow in empty arrays too, because the other dimensions are used to compute row sizes.
    var product = type.size
    for size in shape where size > 0 {
      let (next, overflow) = product.multipliedReportingOverflow(by: size)
      guard !overflow else { throw InputError("has shape \(shape), which is too large") }
      product = next
    }
    let needed = shape.contains(0) ? 0 : product
    guard present == needed else {
      let what = present < needed ? "is cut short" : "has bytes after its end"
      throw InputError("\(what): its shape \(shape) of \(type.rawValue) needs \(needed) bytes, but it has \(present)")
    }
  }
}

extension NumPyType {
  /// The size of an element in bytes.
  public var size: Int {
    switch self {
    case .bool, .uint8, .int8: 1
    case .int16, .float16: 2
    case .int32, .float32: 4
    case .int64, .float64: 8
    }
  }
}

/// Parses the Python dictionary of a `.npy` header.
private struct NumPyHeaderParser {
  let text: [UInt8]
  var position = 0

  init(text: [UInt8]) { self.text = text }

  mutating func header() throws -> NumPyHeader {
    var type: NumPyType?
    var fortran: Bool?
    var shape: [Int]?
    try expect("{")
    while !take("}") {
      let key = try string()
      try expect(":")
      switch key {
      case "descr" where type == nil:
        let name = try string()
        // A single byte has no byte order, and numpy.lib.format accepts any byte order character.
        let plain = ["u1", "i1", "b1"].contains(name.dropFirst()) ? "|\(name.dropFirst())" : name
        guard let known = NumPyType(rawValue: plain) else {
          let all = NumPyType.allCases.map(\.rawValue).joined(separator: ", ")
          throw InputError("has element type '\(name)'; supported are \(all)")
        }
        type = known
      case "fortran_order" where fortran == nil: fortran = try boolean()
      case "shape" where shape == nil: shape = try tuple()
      default: throw InputError("has a damaged header: the key '\(key)' is unknown or occurs twice")
      }
      if take(",") { continue }
      try expect("}")
      break
    }
    skipSpaces()
    guard position == text.count else { throw damaged("the end of the header") }
    guard let type, let fortran, let shape else {
      throw InputError("has a damaged header: descr, fortran_order or shape is missing")
    }
    guard !fortran else { throw InputError("is in Fortran order: save numpy.ascontiguousarray(array) instead") }
    return NumPyHeader(type: type, shape: shape)
  }

  private mutating func string() throws -> String {
    skipSpaces()
    guard position < text.count, text[position] == UInt8(ascii: "'") || text[position] == UInt8(ascii: "\"") else {
      throw damaged("a quoted name")
    }
    let quote = text[position]
    let start = position + 1
    guard let end = text[start...].firstIndex(of: quote) else { throw damaged("the end of a quoted name") }
    position = end + 1
    return String(decoding: text[start..<end], as: UTF8.self)
  }

  private mutating func boolean() throws -> Bool {
    if take("False") { return false }
    if take("True") { return true }
    throw damaged("True or False")
  }

  private mutating func tuple() throws -> [Int] {
    try expect("(")
    var sizes: [Int] = []
    while !take(")") {
      sizes.append(try size())
      guard sizes.count <= 32 else { throw damaged("at most 32 dimensions") }
      if take(",") { continue }
      try expect(")")
      break
    }
    return sizes
  }

  private mutating func size() throws -> Int {
    skipSpaces()
    let digits = text[position...].prefix { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
    guard !digits.isEmpty else { throw damaged("a dimension") }
    position = digits.endIndex
    guard let size = Int(String(decoding: digits, as: UTF8.self)) else {
      throw InputError("has a dimension of \(String(decoding: digits, as: UTF8.self)), which is too large")
    }
    return size
  }

  private mutating func take(_ token: String) -> Bool {
    skipSpaces()
    guard text[position...].starts(with: token.utf8) else { return false }
    position += token.utf8.count
    return true
  }

  private mutating func expect(_ token: String) throws {
    guard take(token) else { throw damaged(token) }
  }

  private mutating func skipSpaces() {
    while position < text.count, [0x20, 0x0a, 0x09, 0x0d].contains(text[position]) { position += 1 }
  }

  private func damaged(_ expected: String) -> InputError {
    InputError("has a damaged header: expected \(expected) at byte \(position)")
  }
}
