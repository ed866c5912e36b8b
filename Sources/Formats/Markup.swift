/// HTML or SVG text. Interpolated strings are escaped, so that the name of a run or a metric cannot become a tag. Only
/// interpolated `Markup` is inserted unchanged: `"<b>\(name)</b>" as Markup`.
public struct Markup: Sendable, Hashable, ExpressibleByStringInterpolation, CustomStringConvertible {
  public private(set) var description: String

  public init(stringLiteral text: String) { description = text }
  public init(stringInterpolation pieces: StringInterpolation) { description = pieces.text }
  /// Creates markup from plain text, with special characters escaped.
  public init(escaping text: some StringProtocol) { description = escaped(text) }

  public static func += (left: inout Markup, right: Markup) { left.description += right.description }
  public static func + (left: Markup, right: Markup) -> Markup {
    var sum = left
    sum += right
    return sum
  }

  public struct StringInterpolation: StringInterpolationProtocol, Sendable {
    var text = ""

    public init(literalCapacity: Int, interpolationCount: Int) { text.reserveCapacity(literalCapacity) }
    public mutating func appendLiteral(_ literal: String) { text += literal }
    public mutating func appendInterpolation(_ markup: Markup) { text += markup.description }
    public mutating func appendInterpolation(_ parts: [Markup]) { for part in parts { text += part.description } }
    public mutating func appendInterpolation(_ string: some StringProtocol) { text += escaped(string) }
    public mutating func appendInterpolation(_ number: Int) { text += String(number) }
  }
}

extension Sequence<Markup> {
  /// Concatenates all parts.
  public func joined(separator: Markup = "") -> Markup {
    var all: Markup = ""
    for (index, part) in enumerated() {
      if index > 0 { all += separator }
      all += part
    }
    return all
  }
}

/// Escapes text for use between tags and in quoted attributes. Control characters, which markup cannot contain, and
/// bidirectional control characters become U+FFFD.
private func escaped(_ text: some StringProtocol) -> String {
  var result = ""
  for scalar in text.unicodeScalars {
    switch scalar.value {
    case 0x26: result += "&amp;"
    case 0x3C: result += "&lt;"
    case 0x3E: result += "&gt;"
    case 0x22: result += "&quot;"
    case 0x27: result += "&#39;"
    case 0x09, 0x0A: result.unicodeScalars.append(scalar)
    case 0..<0x20, 0x7F...0x9F, 0x202A...0x202E, 0x2066...0x2069, 0xFFFE, 0xFFFF: result += "\u{FFFD}"
    default: result.unicodeScalars.append(scalar)
    }
  }
  return result
}
