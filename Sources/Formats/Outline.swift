import Core
import Yams

/// A YAML file of nested mappings and lists, such as the plan of a sweep. Since YAML includes JSON, it may also be JSON.
///
/// Anchors, tags and several documents are rejected. A value without quotes stays the text that is written in the file.
public struct Outline: Sendable, Hashable {
  public enum Content: Sendable, Hashable {
    /// Empty for `null` and a missing value.
    case text(String)
    case list([Outline])
    case mapping([Entry])
  }

  public struct Entry: Sendable, Hashable {
    public let key: String
    public let value: Outline
  }

  public let content: Content
  /// The path of the file and the line, for error messages: `plan.yaml, line 3`.
  public let place: String

  /// The maximum size of a file in bytes.
  public static let byteLimit = 1 << 16

  /// - Throws: `WorldError` with the path if the file cannot be read; `InputError` with path and line if it is invalid.
  public init(path: String) throws {
    try self.init(parsing: try readBytes(from: path, limit: Self.byteLimit), path: path)
  }

  /// - Parameter path: the path for error messages.
  /// - Throws: `InputError` with path and line.
  public init(parsing bytes: [UInt8], path: String) throws {
    do {
      try self.init(try root(of: try checkedText(bytes, allowsLists: true)), path)
    } catch let error as LineError {
      throw InputError("\(path), line \(error.line): \(error.reason)")
    }
  }

  private init(_ node: Node, _ path: String) throws {
    let line = node.mark?.line ?? 1
    place = "\(path), line \(line)"
    switch node {
    case .scalar(let scalar): content = .text(scalar.isNull ? "" : scalar.string)
    case .sequence(let nodes): content = .list(try nodes.map { try Outline($0, path) })
    case .mapping(let mapping):
      content = .mapping(
        try mapping.map { key, value in
          guard let name = key.scalar else { throw LineError(key.mark?.line ?? line, "a name must be a word") }
          return Entry(key: name.string, value: try Outline(value, path))
        })
    case .alias: throw LineError(line, "aliases are not supported: write the values out")
    }
  }

  /// An `InputError` that starts with the path and the line.
  public func error(_ reason: String) -> InputError { InputError("\(place): \(reason)") }
}
