import ArgumentParser
import Core

/// The groups of settings that a command takes as flags: one group, or those of all members of a catalog.
protocol SettingsSource {
  static var groups: [any SettingsGroup.Type] { get }
}

/// Every setting of the source's groups as a flag of the command, with its help line, shell completion and suggestions;
/// a key that several groups have is one flag.
///
/// The parser finds a type's flags by reflection, so this type reflects as if each setting were a property. Several
/// sources in a command must not share a key.
struct SettingsOptions<Source: SettingsSource>: ParsableArguments, CustomReflectable {
  /// What was typed, by key.
  private(set) var typed: [String: String] = [:]

  init() {}

  /// The groups' settings, each key once.
  static var rows: [SettingRow] {
    var seen: Set<String> = []
    return Source.groups.flatMap { $0.rows }.filter { seen.insert($0.key).inserted }
  }
}

extension SettingsOptions {
  private struct Key: CodingKey {
    let stringValue: String
    var intValue: Int? { nil }
    init(stringValue: String) { self.stringValue = stringValue }
    init?(intValue: Int) { nil }
  }

  var customMirror: Mirror {
    Mirror(self, children: Self.rows.map { row in (label: row.key, value: Self.definition(of: row)) })
  }

  private static func definition(of row: SettingRow) -> Any {
    let name = NameSpecification.customLong(row.key)
    guard !row.isSwitch else {
      return Flag<Bool?>(name: name, inversion: .prefixedNo, help: ArgumentHelp(stringLiteral: row.explanation))
    }
    let placeholder = row.placeholder.trimmingPrefix("<").dropLast()
    // Unconditional, so that `--size -4` is told what --size takes.
    return Option<String?>(
      name: name, parsing: .unconditional, help: ArgumentHelp(row.explanation, valueName: String(placeholder)),
      completion: row.choices.isEmpty ? row.domain == "text" ? .directory : nil : .list(row.choices))
  }

  init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: Key.self)
    for row in Self.rows {
      let key = Key(stringValue: row.key)
      typed[row.key] =
        row.isSwitch
        ? try container.decode(Flag<Bool?>.self, forKey: key).wrappedValue?.text
        : try container.decode(Option<String?>.self, forKey: key).wrappedValue
    }
  }
}
