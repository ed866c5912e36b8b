import Core
import Yams

/// A file of settings in groups, as a run records them and `--config` reads them:
///
/// ```yaml
/// environment:
///   env: catch
///   size: 64  # width and height of a frame in pixels
/// agent:
///   hidden: 256
/// ```
///
/// It is YAML of two levels (and so JSON too), without anchors, tags and lists.
public struct SettingsFile: Sendable, Hashable {
  public let path: String
  /// In the order of the file.
  public let groups: [Group]

  /// The settings under a title.
  public struct Group: Sendable, Hashable {
    public let title: String
    public let entries: [Entry]
    let line: Int
  }

  /// One setting, with its value as one would type it.
  public struct Entry: Sendable, Hashable {
    public let key: String
    public let text: String
    let line: Int
  }

  /// The bytes that a file of settings may have: about ten times what the longest needs.
  public static let byteLimit = 1 << 16

  /// - Throws: `WorldError` with the path where the file cannot be read, `InputError` with path and line where it is no
  ///   file of settings.
  public init(path: String) throws {
    try self.init(parsing: try readBytes(from: path, limit: Self.byteLimit), path: path)
  }

  /// - Parameter path: for errors.
  /// - Throws: `InputError` with path and line.
  public init(parsing bytes: [UInt8], path: String) throws {
    self.path = path
    do {
      groups = try entries(of: try root(of: try checkedText(bytes))).map { title, line, node in
        let settings = try entries(of: node).map { key, line, node in
          guard let scalar = node.scalar else {
            throw LineError(line, "the setting '\(key)' takes a number, a text, true or false")
          }
          return Entry(key: key, text: scalar.isNull ? "" : scalar.string, line: line)
        }
        return Group(title: title, entries: settings, line: line)
      }
    } catch let error as LineError {
      throw InputError("\(path), line \(error.line): \(error.reason)")
    }
  }

  /// What the file says under a title; nothing where it does not have it.
  public subscript(title: String) -> Group? { groups.first { $0.title == title } }

  /// Sets what the file says of a group. Keys that the group lacks belong to others under its title:
  /// `check` finds those that belong to none.
  ///
  /// - Throws: `InputError` with path, line and what the key takes.
  public func apply<Settings: SettingsGroup>(to settings: inout Settings) throws {
    for entry in self[Settings.title]?.entries ?? [] {
      guard let field = Settings.fields.first(where: { $0.key == entry.key }) else { continue }
      do { try field.set(&settings, entry.text) } catch let error as InputError {
        throw InputError("\(path), line \(entry.line): \(Settings.title): \(error)")
      }
    }
  }

  /// Refuses titles and keys that none of the groups has.
  ///
  /// - Parameter known: all groups that a command takes; several may stand under one title.
  /// - Throws: `InputError` with path and line that names the nearest, or the title where the key belongs.
  public func check(_ known: [any SettingsGroup]) throws {
    let titles = known.map(\.title).uniqued()
    for group in groups {
      guard titles.contains(group.title) else {
        let error = InputError.unknown("group of settings", group.title, known: titles)
        throw InputError("\(path), line \(group.line): \(error)")
      }
      let keys = known.filter { $0.title == group.title }.flatMap { $0.record.map(\.key) }
      for entry in group.entries where !keys.contains(entry.key) {
        let home = known.first { $0.record.contains { $0.key == entry.key } }
        let reason =
          home.map { "the setting '\(entry.key)' belongs under '\($0.title):'" }
          ?? InputError.unknown("setting", entry.key, known: keys).description
        throw InputError("\(path), line \(entry.line): \(group.title): \(reason)")
      }
    }
  }
}

extension Sequence where Element: Hashable {
  /// Each element once, where it first stands.
  func uniqued() -> [Element] {
    var seen: Set<Element> = []
    return filter { seen.insert($0).inserted }
  }
}

// MARK: - Reading YAML

/// What is wrong in a line of a file.
private struct LineError: Error {
  let line: Int
  let reason: String

  init(_ line: Int, _ reason: String) { (self.line, self.reason) = (line, reason) }
}

extension Node.Scalar {
  /// `null`, `~` or nothing at all, not in quotes.
  fileprivate var isNull: Bool { style == .plain && ["", "~", "null", "Null", "NULL"].contains(string) }
}

/// Refuses what would hurt the YAML reader, or nobody types into settings.
///
/// The reader goes down one call a level of nesting and puts anchored parts in at every alias, so both are kept small
/// before it begins: an anchor is an `&` at the beginning of a word, and our own writer escapes it within quotes.
private func checkedText(_ bytes: [UInt8]) throws -> String {
  var line = 1
  var previous = UInt8(ascii: "\n")
  var brackets = 0
  guard bytes.count <= SettingsFile.byteLimit else { throw LineError(line, "is longer than any settings") }
  for (index, byte) in bytes.enumerated() {
    switch byte {
    case UInt8(ascii: "\n"): line += 1
    case UInt8(ascii: "\r"), UInt8(ascii: "\t"): break
    case 0..<0x20, 0x7f: throw LineError(line, "a control character stands here")
    case UInt8(ascii: "&") where !isWord(previous):
      throw LineError(
        line, "anchors and aliases are no part of settings: write the values out, or quote '&' as \\u0026")
    case UInt8(ascii: "["), UInt8(ascii: "{"):
      brackets += 1
      if brackets > 200 { throw LineError(line, "settings are two levels deep: there are too many brackets") }
    case UInt8(ascii: "-"), UInt8(ascii: "?"), UInt8(ascii: ":"):
      let next = index + 1 < bytes.count ? bytes[index + 1] : UInt8(ascii: "\n")
      if isFirst(index, of: bytes), !isWord(next) || next == byte {
        throw LineError(
          line, "settings hold no lists, documents or nameless values: a line starts with '\(Unicode.Scalar(byte))'")
      }
    default: break
    }
    previous = byte
  }
  let lines = bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
  for (index, line) in lines.enumerated() where String(validating: line, as: UTF8.self) == nil {
    throw LineError(index + 1, "the text is not UTF-8")
  }
  return String(decoding: bytes, as: UTF8.self)
}

/// Whether a byte belongs to a word: an anchor or list item does not begin right after it.
private func isWord(_ byte: UInt8) -> Bool {
  switch byte {
  case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
    UInt8(ascii: "0")...UInt8(ascii: "9"),
    UInt8(ascii: "_"), UInt8(ascii: "/"), UInt8(ascii: "."), UInt8(ascii: "-"), 0x80...:
    true
  default: false
  }
}

/// Whether nothing but spaces stands before a byte in its line.
private func isFirst(_ index: Int, of bytes: [UInt8]) -> Bool {
  let before = bytes[..<index].last { $0 != UInt8(ascii: " ") && $0 != UInt8(ascii: "\t") }
  return before == nil || before == UInt8(ascii: "\n") || before == UInt8(ascii: "\r")
}

private func root(of text: String) throws -> Node {
  do {
    // An empty file sets nothing.
    return try compose(yaml: text, .basic) ?? Node("", .implicit, .plain)
  } catch let error as YamlError {
    switch error {
    case .scanner(let context, let problem, let mark, _), .parser(let context, let problem, let mark, _),
      .composer(let context, let problem, let mark, _):
      let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
      let number = min(max(1, mark.line), lines.count)  // the end of a file is no line of its own
      guard !lines[number - 1].prefix(while: \.isWhitespace).contains("\t") else {
        throw LineError(number, "indent with spaces, not with tabs")
      }
      throw LineError(number, [context?.text, problem].compactMap(\.self).joined(separator: ", "))
    case .duplicatedKeysInMapping(let keys, let context):
      throw LineError(context.mark.line, "'\(keys.first ?? "")' stands twice")
    default: throw LineError(1, "the file is no YAML")
    }
  }
}

/// The members of a mapping, with the lines that they begin in.
private func entries(of node: Node) throws -> [(key: String, line: Int, value: Node)] {
  if let scalar = node.scalar, scalar.isNull { return [] }
  guard let mapping = node.mapping else {
    throw LineError(node.mark?.line ?? 1, "settings stand in groups, such as 'agent:' and below it '  hidden: 256'")
  }
  return try mapping.map { key, value in
    let line = key.mark?.line ?? 1
    guard let key = key.scalar else { throw LineError(line, "the name of a setting is a word") }
    return (key.string, line, value)
  }
}
