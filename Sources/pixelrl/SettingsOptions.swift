import ArgumentParser
import Core

/// The groups of settings that a command takes as flags.
protocol SettingsSource {
  static var groups: [any SettingsGroup.Type] { get }
  /// The groups of a catalog's members, with the members' names. A command uses only those of the chosen member.
  static var members: [(name: String, group: any SettingsGroup.Type)] { get }
}

extension SettingsSource {
  static var members: [(name: String, group: any SettingsGroup.Type)] { [] }
}

/// Every setting of the source's groups as a flag of the command, with its help line, shell completion and suggestions.
/// A key that several groups have is one flag.
///
/// The parser finds a type's flags by reflection, so this type reflects as if each setting were a property. Several
/// sources in a command must not share a key.
struct SettingsOptions<Source: SettingsSource>: ParsableArguments, CustomReflectable {
  /// The values of the flags, by key.
  private(set) var typed: [String: String] = [:]

  init() {}

  /// The values among `flags` that are of this source's settings.
  init(from flags: [String: String], keys: Set<String>) { typed = flags.filter { keys.contains($0.key) } }

  /// The groups' settings, then those of the members, each key once.
  static var rows: [SettingRow] {
    let owned = Source.members.flatMap { member in member.group.rows.map { (name: member.name, row: $0) } }
    var seen: Set<String> = []
    return (Source.groups.flatMap { $0.rows } + owned.map(\.row)).filter { seen.insert($0.key).inserted }.map { row in
      let owners = owned.filter { $0.row.key == row.key }
      return owners.isEmpty ? row : self.row(of: owners)
    }
  }

  /// Returns the row of a setting that several members have. If their defaults or domains differ, the row lists each.
  /// If not all members have the setting, the row names those that do.
  private static func row(of owners: [(name: String, row: SettingRow)]) -> SettingRow {
    var row = owners[0].row
    let isForAll = owners.count == Source.members.count
    row.defaultText = shared(owners.map { ($0.name, $0.row.defaultText) }, isForAll: isForAll)
    guard Set(owners.map(\.row.domain)).count > 1 else { return row }
    row.domain = groupedByText(owners.map { ($0.name, $0.row.domain) })
    // A switch of one member can be a choice of another. Then the flag takes a value.
    row.isSwitch = owners.allSatisfy(\.row.isSwitch)
    row.choices = owners.flatMap { $0.row.isSwitch && !row.isSwitch ? ["true", "false"] : $0.row.choices }
    return row
  }

  /// `256; 64 for ppo, trpo` if all members have the setting, `0.2 for ppo` if only some have it.
  private static func shared(_ owners: [(name: String, text: String)], isForAll: Bool) -> String {
    guard isForAll, let most = owners.first?.text else { return groupedByText(owners) }
    let others = owners.filter { $0.text != most }
    return others.isEmpty ? most : "\(most); \(groupedByText(others))"
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
    // Unconditional, so that the error about `--size -4` says which values --size takes.
    return Option<String?>(
      name: name, parsing: .unconditional, help: ArgumentHelp(row.explanation, valueName: String(placeholder)),
      completion: row.choices.isEmpty ? row.domain == "text" ? .runs : nil : .list(row.choices))
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
