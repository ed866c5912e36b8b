extension SettingsGroup {
  /// The settings as an object, `{"hidden": 256, "layer-norm": true}`: what a run records and `--config` reads.
  public var json: JSON {
    .object(
      Self.fields.map { field in
        let text = field.text(self)
        let isNumber = field.domain.hasPrefix("a whole number") || field.domain.hasPrefix("a number")
        let number: JSON? = Int(text).map { .integer($0) } ?? Double(text).map { .number($0) }
        let value = field.isSwitch ? .bool(text == "true") : isNumber ? number : nil
        return JSON.Member(field.key, value ?? .string(text))
      })
  }

  /// Takes the settings that an object names; the others stay.
  ///
  /// - Throws: `InputError` that names the nearest key, or what the key takes.
  public mutating func apply(_ json: JSON) throws {
    guard let members = json.members else { throw InputError("settings are a JSON object, not \(json)") }
    for member in members {
      switch member.value {
      case .string(let text): try set(member.key, to: text)
      case .bool, .integer, .number: try set(member.key, to: member.value.description)
      default:
        throw InputError("the setting '\(member.key)' takes a number, a text, true or false, not \(member.value)")
      }
    }
  }
}

/// A file of settings by group, as a run records them: `{"environment": {"size": 84}, "agent": {"hidden": 256}}`.
public struct SettingsFile: Sendable, Hashable {
  public let path: String
  private let groups: JSON

  /// - Throws: `WorldError` with the path where the file cannot be read, `InputError` where it is no such file.
  public init(path: String) throws {
    self.path = path
    let bytes = try readBytes(from: path, limit: 1 << 24)
    do { groups = try JSON(parsing: bytes) } catch let error as InputError { throw InputError("\(path): \(error)") }
    guard groups.members != nil else { throw InputError("\(path): holds no JSON object of groups of settings") }
  }

  /// Throws an error that names the nearest title unless all groups of the file are among those that a command takes.
  public func checkTitles(_ known: [String]) throws {
    for member in groups.members ?? [] where !known.contains(member.key) {
      throw InputError("\(path): \(InputError.unknown("group of settings", member.key, known: known))")
    }
  }

  /// Sets what the file says of a group; nothing where it does not have it.
  public func apply(_ title: String, to group: inout some SettingsGroup) throws {
    guard let json = groups[title] else { return }
    do { try group.apply(json) } catch let error as InputError { throw InputError("\(path): \(title): \(error)") }
  }

  /// The file's text.
  public static func text(of groups: [(title: String, group: any SettingsGroup)]) -> String {
    JSON.object(groups.map { JSON.Member($0.title, $0.group.json) }).indented
  }
}
