/// LaTeX text. As with `Markup`, interpolated strings are escaped.
public struct LaTeX: Sendable, Hashable, ExpressibleByStringInterpolation, CustomStringConvertible {
  public let description: String

  public init(stringLiteral text: String) { description = text }
  public init(stringInterpolation pieces: StringInterpolation) { description = pieces.text }

  public struct StringInterpolation: StringInterpolationProtocol, Sendable {
    var text = ""

    public init(literalCapacity: Int, interpolationCount: Int) {}
    public mutating func appendLiteral(_ literal: String) { text += literal }
    public mutating func appendInterpolation(_ latex: LaTeX) { text += latex.description }
    public mutating func appendInterpolation(_ parts: [LaTeX]) { for part in parts { text += part.description } }
    public mutating func appendInterpolation(_ string: String) { text += escaped(string) }
    public mutating func appendInterpolation(_ number: Int) { text += String(number) }
  }
}

/// Escapes TeX's special characters. Characters missing from pdfLaTeX's default fonts become `?`.
private func escaped(_ text: String) -> String {
  var result = ""
  var last: Unicode.Scalar = " "
  for scalar in text.unicodeScalars {
    defer { last = scalar }
    switch scalar {
    case "\\": result += #"\textbackslash{}"#
    case "^": result += #"\textasciicircum{}"#
    case "~": result += #"\textasciitilde{}"#
    case "{", "}", "#", "$", "%", "&", "_": result += "\\\(scalar)"
    case "<": result += #"\textless{}"#
    case ">": result += #"\textgreater{}"#
    case "|": result += #"\textbar{}"#
    // Two in a row would become a ligature.
    case "-" where last == scalar, "," where last == scalar: result += "{\(scalar)}"
    // These form ligatures with other characters; and \\ takes a following [ or * as its argument.
    case "'", "`", "!", "?", "[", "]", "*": result += "{\(scalar)}"
    case "\"": result += "{''}"
    case "–": result += "--"
    case "—": result += "---"
    case "−": result += "$-$"
    case "\t", "\n", "\r": result += " "
    case "²": result += "$^2$"
    case " "..."\u{7E}": result.unicodeScalars.append(scalar)
    case "À"..."ÿ" where !"ÐðÞþ×÷".unicodeScalars.contains(scalar): result.unicodeScalars.append(scalar)
    default: result += "?"
    }
  }
  return result
}
