import Core
import Yams

/// A config file with groups of settings, as recorded by a run and read by `--config`:
///
/// ```yaml
/// environment:
///   env: catch
///   size: 64  # width and height of a frame in pixels
/// agent:
///   hidden: 256
/// ```
///
/// It is YAML with two levels, without anchors, tags and lists. Since YAML includes JSON, it may also be JSON.
public struct SettingsFile: Sendable, Hashable {
  public let path: String
  /// The groups, in file order.
  public let groups: [Group]

  /// The settings in a section.
  public struct Group: Sendable, Hashable {
    public let title: String
    public let entries: [Entry]
    let line: Int
  }

  /// A setting, with its value as written on the command line.
  public struct Entry: Sendable, Hashable {
    public let key: String
    public let text: String
    let line: Int
  }

  /// The maximum size of a config file in bytes: about ten times the size of the longest.
  public static let byteLimit = 1 << 16

  /// Reads a config file.
  ///
  /// - Throws: `WorldError` with the path if the file cannot be read; `InputError` with path and line if it is invalid.
  public init(path: String) throws {
    try self.init(parsing: try readBytes(from: path, limit: Self.byteLimit), path: path)
  }

  /// Parses the text of a config file.
  ///
  /// - Parameter path: the path for error messages.
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

  /// The section with this title, or nil if the file does not have it.
  public subscript(title: String) -> Group? { groups.first { $0.title == title } }

  /// Applies the values in the file to a group. Unknown keys are skipped, because they may belong to another group of
  /// the same title; `check` rejects keys that belong to no group.
  ///
  /// - Throws: `InputError` with the path, the line and the allowed values.
  public func apply<Settings: SettingsGroup>(to settings: inout Settings) throws {
    for entry in self[Settings.title]?.entries ?? [] {
      guard let field = Settings.fields.first(where: { $0.key == entry.key }) else { continue }
      do { try field.set(&settings, entry.text) } catch let error as InputError {
        throw InputError("\(path), line \(entry.line): \(Settings.title): \(error)")
      }
    }
  }

  /// Rejects titles and keys that no group has.
  ///
  /// - Parameter known: all groups of a command; several may share a title.
  /// - Throws: `InputError` with the path, the line and the most similar name, or the title that has the key.
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
  /// Returns the distinct elements, in order of first occurrence.
  func uniqued() -> [Element] {
    var seen: Set<Element> = []
    return filter { seen.insert($0).inserted }
  }
}

/// Returns the members of a mapping, with their line numbers.
private func entries(of node: Node) throws -> [(key: String, line: Int, value: Node)] {
  if let scalar = node.scalar, scalar.isNull { return [] }
  guard let mapping = node.mapping else {
    throw LineError(
      node.mark?.line ?? 1,
      "settings must be in groups: write 'agent:', and below it '  hidden: 256'; 'pixelrl config train' prints all")
  }
  return try mapping.map { key, value in
    let line = key.mark?.line ?? 1
    guard let key = key.scalar else { throw LineError(line, "the name of a setting must be a word") }
    return (key.string, line, value)
  }
}
