import Core

extension JSON {
  /// Parses a JSON text, strictly according to RFC 8259.
  ///
  /// - Parameters:
  ///   - text: UTF-8 text. Only white space may surround the value.
  ///   - depth: the maximum nesting depth of arrays and objects.
  /// - Throws: `InputError` with the reason and the byte offset. Duplicate keys in an object, lone surrogates and
  ///   numbers out of range for a double are errors too.
  public init(parsing text: some Sequence<UInt8>, depth: Int = 64) throws {
    var parser = JSONParser(Array(text))
    self = try parser.document(depth: depth)
  }

  public init(parsing text: String, depth: Int = 64) throws { try self.init(parsing: text.utf8, depth: depth) }
}

private struct JSONParser {
  private let bytes: [UInt8]
  private var at = 0

  init(_ bytes: [UInt8]) { self.bytes = bytes }

  mutating func document(depth: Int) throws -> JSON {
    let value = try value(depth: depth)
    skipSpace()
    guard at == bytes.count else { throw failure("unexpected text after the value") }
    return value
  }

  private mutating func value(depth: Int) throws -> JSON {
    skipSpace()
    guard let first = peek else { throw failure("the text ends before a value") }
    switch first {
    case UInt8(ascii: "{"): return try object(depth: depth)
    case UInt8(ascii: "["): return try array(depth: depth)
    case UInt8(ascii: "\""): return .string(try string())
    case UInt8(ascii: "t"): return try word("true", .bool(true))
    case UInt8(ascii: "f"): return try word("false", .bool(false))
    case UInt8(ascii: "n"): return try word("null", .null)
    case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): return try number()
    default: throw failure("expected a JSON value")
    }
  }

  private mutating func object(depth: Int) throws -> JSON {
    guard depth > 0 else { throw failure("nested too deeply") }
    at += 1
    var members: [JSON.Member] = []
    var keys: Set<String> = []
    if closes("}") { return .object([]) }
    while true {
      skipSpace()
      guard peek == UInt8(ascii: "\"") else { throw failure("expected a quoted key") }
      let start = at
      let key = try string()
      guard keys.insert(key).inserted else { throw failure("duplicate key \"\(key)\"", at: start) }
      skipSpace()
      guard take(":") else { throw failure("expected a colon") }
      members.append(JSON.Member(key, try value(depth: depth - 1)))
      if closes("}") { return .object(members) }
      guard take(",") else { throw failure("expected a comma or }") }
    }
  }

  private mutating func array(depth: Int) throws -> JSON {
    guard depth > 0 else { throw failure("nested too deeply") }
    at += 1
    var values: [JSON] = []
    if closes("]") { return .array([]) }
    while true {
      values.append(try value(depth: depth - 1))
      if closes("]") { return .array(values) }
      guard take(",") else { throw failure("expected a comma or ]") }
    }
  }

  private mutating func word(_ word: StaticString, _ value: JSON) throws -> JSON {
    for expected in "\(word)".utf8 {
      guard peek == expected else { throw failure("expected a JSON value") }
      at += 1
    }
    return value
  }

  /// -? (0 | [1-9][0-9]*) (. [0-9]+)? ([eE] [+-]? [0-9]+)?
  private mutating func number() throws -> JSON {
    let start = at
    var isInteger = true
    _ = take("-")
    if !take("0") { try digits() }
    if take(".") {
      isInteger = false
      try digits()
    }
    if take("e") || take("E") {
      isInteger = false
      if !take("+") { _ = take("-") }
      try digits()
    }
    let text = String(decoding: bytes[start..<at], as: UTF8.self)
    if isInteger, let value = Int(text) { return .integer(value) }
    guard let value = Double(text), value.isFinite else { throw failure("the number is out of range", at: start) }
    return .number(value)
  }

  private mutating func digits() throws {
    let start = at
    while let byte = peek, (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) { at += 1 }
    guard at > start else { throw failure("expected a digit") }
  }

  private mutating func string() throws -> String {
    let start = at
    at += 1
    var content: [UInt8] = []
    while true {
      guard let byte = peek else { throw failure("unterminated string", at: start) }
      at += 1
      switch byte {
      case UInt8(ascii: "\""):
        guard let text = String(validating: content, as: UTF8.self) else {
          throw failure("the string is not UTF-8", at: start)
        }
        return text
      case UInt8(ascii: "\\"): content.append(contentsOf: try escape())
      case 0..<0x20: throw failure("unescaped control character in a string", at: at - 1)
      default: content.append(byte)
      }
    }
  }

  /// Parses an escape sequence after its backslash, and returns UTF-8.
  private mutating func escape() throws -> [UInt8] {
    let start = at - 1
    guard let byte = peek else { throw failure("unterminated string") }
    at += 1
    switch byte {
    case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): return [byte]
    case UInt8(ascii: "b"): return [8]
    case UInt8(ascii: "f"): return [12]
    case UInt8(ascii: "n"): return [10]
    case UInt8(ascii: "r"): return [13]
    case UInt8(ascii: "t"): return [9]
    case UInt8(ascii: "u"):
      var code = UInt32(try codeUnit())
      if (0xd800..<0xdc00).contains(code), take("\\"), take("u") {
        let low = UInt32(try codeUnit())
        guard (0xdc00..<0xe000).contains(low) else { throw failure("lone surrogate", at: start) }
        code = 0x10000 + (code - 0xd800) << 10 + (low - 0xdc00)
      }
      guard let scalar = Unicode.Scalar(code) else { throw failure("lone surrogate", at: start) }
      return Array(String(Character(scalar)).utf8)
    default: throw failure("unknown escape sequence", at: start)
    }
  }

  private mutating func codeUnit() throws -> UInt16 {
    var code: UInt16 = 0
    for _ in 0..<4 {
      guard let byte = peek, let digit = Character(Unicode.Scalar(byte)).hexDigitValue else {
        throw failure("expected four hexadecimal digits")
      }
      code = code << 4 | UInt16(digit)
      at += 1
    }
    return code
  }

  // MARK: Bytes

  private var peek: UInt8? { at < bytes.count ? bytes[at] : nil }

  private mutating func take(_ byte: Unicode.Scalar) -> Bool {
    guard peek == UInt8(ascii: byte) else { return false }
    at += 1
    return true
  }

  private mutating func closes(_ bracket: Unicode.Scalar) -> Bool {
    skipSpace()
    return take(bracket)
  }

  private mutating func skipSpace() {
    while let byte = peek, byte == 0x20 || byte == 0x0a || byte == 0x0d || byte == 0x09 { at += 1 }
  }

  private func failure(_ reason: String, at offset: Int? = nil) -> InputError {
    InputError("\(reason) (byte \(offset ?? at) of the JSON text)")
  }
}
