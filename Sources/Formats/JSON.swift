/// A JSON value. Objects keep the order of their members, so the output is deterministic.
public enum JSON: Sendable, Hashable {
  case null
  case bool(Bool)
  /// A number without a fraction or an exponent that fits in 64 bits.
  case integer(Int)
  /// Any other number.
  case number(Double)
  case string(String)
  case array([JSON])
  /// The parser rejects objects with duplicate keys.
  case object([Member])

  public struct Member: Sendable, Hashable {
    public var key: String
    public var value: JSON

    public init(_ key: String, _ value: JSON) {
      self.key = key
      self.value = value
    }
  }

  /// The value of a member, or nil if this is not an object or has no such member.
  public subscript(key: String) -> JSON? {
    guard case .object(let members) = self else { return nil }
    return members.first { $0.key == key }?.value
  }

  public var int: Int? { if case .integer(let value) = self { value } else { nil } }
  public var text: String? { if case .string(let value) = self { value } else { nil } }
  public var bool: Bool? { if case .bool(let value) = self { value } else { nil } }
  public var array: [JSON]? { if case .array(let values) = self { values } else { nil } }
  public var members: [Member]? { if case .object(let members) = self { members } else { nil } }

  /// Creates a number up to 2⁵³, which every JSON reader represents exactly, or a string of digits for a larger number.
  public init(whole number: UInt64) { self = number <= 1 << 53 ? .integer(Int(number)) : .string(String(number)) }

  /// The value stored by `init(whole:)`; also accepts strings of digits for small numbers.
  public var whole: UInt64? { int.flatMap { UInt64(exactly: $0) } ?? text.flatMap { UInt64($0) } }

  /// The value of an integer or a number, or nil.
  public var double: Double? {
    switch self {
    case .integer(let value): Double(value)
    case .number(let value): value
    default: nil
    }
  }
}

extension JSON: ExpressibleByStringLiteral, ExpressibleByIntegerLiteral, ExpressibleByFloatLiteral,
  ExpressibleByBooleanLiteral, ExpressibleByArrayLiteral, ExpressibleByDictionaryLiteral
{
  public init(stringLiteral value: String) { self = .string(value) }
  public init(integerLiteral value: Int) { self = .integer(value) }
  public init(floatLiteral value: Double) { self = .number(value) }
  public init(booleanLiteral value: Bool) { self = .bool(value) }
  public init(arrayLiteral elements: JSON...) { self = .array(elements) }
  public init(dictionaryLiteral elements: (String, JSON)...) { self = .object(elements.map { Member($0.0, $0.1) }) }
}

// MARK: - Writing

extension JSON: CustomStringConvertible {
  /// The value on one line. A number that is not finite becomes `null`, because JSON cannot represent it.
  public var description: String {
    var target = ""
    write(to: &target, indent: nil)
    return target
  }

  /// The value on multiple lines, one per member or element.
  public var indented: String {
    var target = ""
    write(to: &target, indent: 0)
    return target + "\n"
  }

  private func write(to target: inout String, indent: Int?) {
    switch self {
    case .null: target += "null"
    case .bool(let value): target += value ? "true" : "false"
    case .integer(let value): target += String(value)
    case .number(let value): target += value.isFinite ? value.description : "null"
    case .string(let value): JSON.quote(value, to: &target)
    case .array(let values):
      JSON.write(values, between: ("[", "]"), to: &target, indent: indent) { value, target, indent in
        value.write(to: &target, indent: indent)
      }
    case .object(let members):
      JSON.write(members, between: ("{", "}"), to: &target, indent: indent) { member, target, indent in
        JSON.quote(member.key, to: &target)
        target += indent == nil ? ":" : ": "
        member.value.write(to: &target, indent: indent)
      }
    }
  }

  private static func write<Element>(
    _ elements: [Element], between brackets: (String, String), to target: inout String, indent: Int?,
    _ write: (Element, inout String, Int?) -> Void
  ) {
    target += brackets.0
    let inner = indent.map { $0 + 2 }
    for (index, element) in elements.enumerated() {
      if index > 0 { target += "," }
      if let inner { target += "\n" + String(repeating: " ", count: inner) }
      write(element, &target, inner)
    }
    if let indent, !elements.isEmpty { target += "\n" + String(repeating: " ", count: indent) }
    target += brackets.1
  }

  private static func quote(_ text: String, to target: inout String) {
    target += "\""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\"": target += "\\\""
      case "\\": target += "\\\\"
      case "\n": target += "\\n"
      case "\r": target += "\\r"
      case "\t": target += "\\t"
      case _ where scalar.value < 0x20:
        let digits = String(scalar.value, radix: 16)
        target += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
      default: target.unicodeScalars.append(scalar)
      }
    }
    target += "\""
  }
}
