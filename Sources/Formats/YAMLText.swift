import Core
import Yams

/// An error in a line of a file.
struct LineError: Error {
  let line: Int
  let reason: String

  init(_ line: Int, _ reason: String) { (self.line, self.reason) = (line, reason) }
}

extension Node.Scalar {
  /// Whether it is an unquoted `null`, `~` or empty.
  var isNull: Bool { style == .plain && ["", "~", "null", "Null", "NULL"].contains(string) }
}

/// Rejects text that could exhaust the YAML parser, and YAML features that settings do not need.
///
/// The parser recurses once per nesting level and expands every alias. So nesting is limited and anchors are rejected
/// before parsing. An anchor is an `&` at the start of a word; our own writer escapes `&` within quotes.
///
/// - Parameter allowsLists: whether lines may start with `- `. The depth of lists and mappings is then limited by the
///   indentation.
func checkedText(_ bytes: [UInt8], allowsLists: Bool = false) throws -> String {
  var line = 1
  var previous = UInt8(ascii: "\n")
  var brackets = 0
  let limit = SettingsFile.byteLimit
  guard bytes.count <= limit else { throw LineError(line, "the file is larger than \(limit) bytes") }
  for (index, byte) in bytes.enumerated() {
    switch byte {
    case UInt8(ascii: "\n"): line += 1
    case UInt8(ascii: "\r"), UInt8(ascii: "\t"): break
    case 0..<0x20, 0x7f: throw LineError(line, "control characters are not allowed")
    case UInt8(ascii: "&") where !isWord(previous):
      throw LineError(
        line, "anchors and aliases are not supported: write the values out, or quote '&' as \\u0026")
    case UInt8(ascii: "["), UInt8(ascii: "{"):
      brackets += 1
      if brackets > 200 { throw LineError(line, "settings have only two levels: there are too many brackets") }
    case UInt8(ascii: "-"), UInt8(ascii: "?"), UInt8(ascii: ":"):
      let next = index + 1 < bytes.count ? bytes[index + 1] : UInt8(ascii: "\n")
      if isFirst(index, of: bytes), !isWord(next) || next == byte {
        if allowsLists, byte == UInt8(ascii: "-"), !startsItem(bytes[(index + 1)...]) { break }
        throw LineError(
          line,
          "lists, documents and values without a key are not allowed: a line starts with '\(Unicode.Scalar(byte))'")
      }
    default: break
    }
    previous = byte
  }
  let lines = bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
  if allowsLists {
    for (index, line) in lines.enumerated() where line.prefix(while: { $0 == UInt8(ascii: " ") }).count > 60 {
      throw LineError(index + 1, "the line is indented by more than 60 spaces")
    }
  }
  for (index, line) in lines.enumerated() where String(validating: line, as: UTF8.self) == nil {
    throw LineError(index + 1, "the text is not UTF-8")
  }
  return String(decoding: bytes, as: UTF8.self)
}

/// Returns whether the rest of a line, after a list's `-`, starts another item.
private func startsItem(_ rest: ArraySlice<UInt8>) -> Bool {
  guard let first = rest.first, first == UInt8(ascii: " ") || first == UInt8(ascii: "\n") else { return true }
  let word = rest.prefix { $0 != UInt8(ascii: "\n") }.drop { $0 == UInt8(ascii: " ") }.prefix(2)
  guard let mark = word.first, "-?:".utf8.contains(mark) else { return false }
  let second = word.dropFirst().first ?? UInt8(ascii: " ")
  return !isWord(second) || second == mark
}

/// Returns whether a byte belongs to a word. An anchor or a list item cannot start right after it.
private func isWord(_ byte: UInt8) -> Bool {
  switch byte {
  case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
    UInt8(ascii: "0")...UInt8(ascii: "9"),
    UInt8(ascii: "_"), UInt8(ascii: "/"), UInt8(ascii: "."), UInt8(ascii: "-"), 0x80...:
    true
  default: false
  }
}

/// Returns whether a byte is the first in its line, apart from spaces and tabs.
private func isFirst(_ index: Int, of bytes: [UInt8]) -> Bool {
  let before = bytes[..<index].last { $0 != UInt8(ascii: " ") && $0 != UInt8(ascii: "\t") }
  return before == nil || before == UInt8(ascii: "\n") || before == UInt8(ascii: "\r")
}

func root(of text: String) throws -> Node {
  do {
    // An empty file is valid.
    return try compose(yaml: text, .basic) ?? Node("", .implicit, .plain)
  } catch let error as YamlError {
    switch error {
    case .scanner(let context, let problem, let mark, _), .parser(let context, let problem, let mark, _),
      .composer(let context, let problem, let mark, _):
      let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
      let number = min(max(1, mark.line), lines.count)  // the end of the file is not a line
      guard !lines[number - 1].prefix(while: \.isWhitespace).contains("\t") else {
        throw LineError(number, "indent with spaces, not with tabs")
      }
      throw LineError(number, [context?.text, problem].compactMap(\.self).joined(separator: ", "))
    case .duplicatedKeysInMapping(let keys, let context):
      throw LineError(context.mark.line, "'\(keys.first ?? "")' is given twice")
    default: throw LineError(1, "the file is not valid YAML")
    }
  }
}
