import ArgumentParser
import Core
import Environments
import Foundation
import Training

/// A command that takes settings. Its help shows the main settings first, then the others by group, with the defaults
/// that apply for the environment, agent and encoder that the flags beside `--help` choose.
protocol SettingsCommand: ParsableCommand {
  /// The keys of the settings that most runs change, in the order of the help.
  static var mainSettings: [String] { get }
  static var catalogs: [SettingsHelp.Catalog] { get }
  /// The values of the flags, by key.
  var typed: [String: String] { get }
  /// All settings, resolved only from the flags in `SettingsHelp.choosing`, such as `--env` and `--agent`.
  func chosenGroups() throws -> [any SettingsGroup]
}

/// The help of a command that takes settings.
struct SettingsHelp {
  /// Members that have their own settings. All of them are shown, or only the one that a flag chooses.
  struct Catalog {
    /// `agent`: the flag that chooses a member.
    let key: String
    /// `Agent`, which the member's name follows.
    let title: String
    let members: [(name: String, group: any SettingsGroup.Type)]
    /// The group that holds the choice.
    let choice: any SettingsGroup.Type
    /// Flags that decide whether a run has a member at all. If one is given, members are shown only if the run has one.
    let unless: [String]
  }

  struct Section {
    let title: String
    var rows: [SettingRow]
  }

  /// Flags whose values decide which settings there are and what their defaults are.
  static let choosing: Set = ["env", "agent", "observe", "encoder", "autoencoder", "kind", "gym-timeout"]

  private let columns: Int
  /// The argument parser's help before and after the settings.
  private let opening: String
  /// How to see the defaults of one environment or member.
  private let hint: String
  private let closing: String
  private let sections: [Section]

  /// - Throws: the error about a wrong flag.
  init<Command: SettingsCommand>(_ command: Command, columns: Int) throws {
    let parsed = RootCommand.helpMessage(for: Command.self, columns: columns)
    opening = parsed.components(separatedBy: "\n\n").prefix(2).joined(separator: "\n\n")
    closing = parsed.range(of: "\nOPTIONS:").map { String(parsed[$0.lowerBound...].dropFirst()) } ?? ""
    self.columns = columns
    let flags = ["--env"] + Command.catalogs.reversed().map { "--\($0.key)" }
    hint = "Add \(flags.dropLast().joined(separator: ", ")) or \(flags[flags.count - 1]) to see the defaults for it."

    let groups = try command.chosenGroups()
    var sections: [Section] = []
    func add(_ rows: [SettingRow], to title: String) {
      if let index = sections.firstIndex(where: { $0.title == title }) {
        sections[index].rows += rows
      } else {
        sections.append(Section(title: title, rows: rows))
      }
    }
    let environment = groups.lazy.compactMap { $0 as? EnvironmentChoice }.first?.env ?? ""
    func addMembers(of catalog: Catalog, chosen: (any SettingsGroup)? = nil) {
      for (name, group) in catalog.members {
        let rows = chosen.flatMap { type(of: $0) == group ? $0.rows : nil } ?? memberRows(group, in: environment)
        add(rows, to: "\(catalog.title) \(name)")
      }
    }
    var shown: Set<String> = []
    for group in groups {
      guard let catalog = Command.catalogs.first(where: { $0.name(of: group) != nil }) else {
        add(group.rows, to: group.title)
        continue
      }
      shown.insert(catalog.key)
      if command.typed[catalog.key] == nil {
        addMembers(of: catalog, chosen: group)
      } else if let name = catalog.name(of: group) {
        add(group.rows, to: "\(catalog.title) \(name)")
      }
    }
    for catalog in Command.catalogs
    where !shown.contains(catalog.key) && !catalog.unless.contains(where: { command.typed[$0] != nil }) {
      add(catalog.choice.rows, to: catalog.title)
      addMembers(of: catalog)
    }
    // The row of a given flag shows the default that applies without it.
    let plain = Dictionary(
      groups.flatMap { type(of: $0).rows }.map { ($0.key, $0) }, uniquingKeysWith: { first, _ in first })
    for (i, section) in sections.enumerated() {
      sections[i].rows = section.rows.map { command.typed[$0.key] == nil ? $0 : plain[$0.key] ?? $0 }
    }
    let main = Command.mainSettings.compactMap { key in
      sections.lazy.flatMap(\.rows).first { $0.key == key }
    }
    for i in sections.indices { sections[i].rows.removeAll { main.map(\.key).contains($0.key) } }
    self.sections = [Section(title: "main", rows: main)] + sections.filter { !$0.rows.isEmpty }
  }

  /// The help in the argument parser's layout: flags on the left, explanations on the right.
  var text: String {
    let settings = sections.map { section in
      let lines = section.rows.map { row in
        line(row.isSwitch ? "--\(row.key)/--no-\(row.key)" : "--\(row.key) \(row.placeholder)", row.explanation)
      }
      return "\(section.title.uppercased()) SETTINGS:\n" + lines.joined(separator: "\n")
    }
    return ([opening, wrapped(hint)] + settings + [closing]).joined(separator: "\n\n")
  }

  private func line(_ flag: String, _ explanation: String) -> String {
    let indent = 26
    let start = "  " + flag
    let isShort = start.count < indent - 1
    // A flag that leaves no gap gets its own line.
    let text = wrapped(explanation, from: isShort ? start.padded(to: indent) : "".padded(to: indent), indent: indent)
    return isShort ? text : "\(start)\n\(text)"
  }

  /// Breaks a text between words where a line would be longer than the terminal is wide.
  private func wrapped(_ text: String, from start: String = "", indent: Int = 0) -> String {
    var lines = [start]
    for word in text.split(separator: " ") {
      let current = lines[lines.count - 1]
      if current.count == indent {
        lines[lines.count - 1] += word
      } else if current.count + 1 + word.count > columns {
        lines.append("".padded(to: indent) + word)
      } else {
        lines[lines.count - 1] += " \(word)"
      }
    }
    return lines.joined(separator: "\n")
  }
}

extension String {
  fileprivate func padded(to width: Int) -> String { self + String(repeating: " ", count: max(width - count, 0)) }
}

extension SettingsHelp.Catalog {
  init<Source: SettingsSource>(_ source: Source.Type, key: String, title: String, unless: [String] = []) {
    self.init(key: key, title: title, members: Source.members, choice: Source.groups[0], unless: unless)
  }

  /// Returns the member that a group of settings belongs to.
  fileprivate func name(of group: any SettingsGroup) -> String? {
    members.first { $0.group == type(of: group) }?.name
  }
}

/// Returns a group's settings with a task's defaults.
private func memberRows(_ group: any SettingsGroup.Type, in environment: String) -> [SettingRow] {
  func rows<Group: SettingsGroup>(_ type: Group.Type) -> [SettingRow] {
    let group: Group = TaskDefaults.group(of: environment)
    return group.rows
  }
  return rows(group)
}

extension SettingsHelp {
  /// Returns the help that the words ask for, or nil if they ask for none or for that of a command without settings.
  static func asked(by words: some Collection<String>, columns: Int) throws -> String? {
    var words = Array(words)
    if words.first == "help" {
      words.removeFirst()
      words.append("--help")
    }
    guard words.contains("--help") || words.contains("-h"),
      let type = RootCommand.configuration.subcommands.first(where: { $0._commandName == words.first })
        as? any SettingsCommand.Type
    else { return nil }
    let others = words.dropFirst().filter { $0 != "--help" && $0 != "-h" }
    func help<Command: SettingsCommand>(_ type: Command.Type) throws -> String? {
      // Parsed as the whole command line, so that errors are the same as without --help.
      guard let command = try RootCommand.parseAsRoot(words.prefix(1) + others) as? Command else { return nil }
      return try SettingsHelp(command, columns: columns).text
    }
    return try help(type)
  }
}
