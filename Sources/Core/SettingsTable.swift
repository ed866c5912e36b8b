/// One setting as shown in help texts, documentation and shell completions, without its group's type.
public struct SettingRow: Sendable, Hashable {
  /// `hidden` for the flag `--hidden`.
  public let key: String
  public let help: String
  /// `a whole number from 1 to 64`.
  public var domain: String
  /// The default, as written on the command line.
  public var defaultText: String
  /// All allowed values if they can be listed.
  public var choices: [String]
  public var isSwitch: Bool

  /// The placeholder for the value: `<n>`, `<size>`, `<text>`; empty for a switch.
  public var placeholder: String {
    if isSwitch { return "" }
    if domain.hasPrefix("a whole number") { return "<n>" }
    if domain.hasPrefix("a number") { return "<x>" }
    if domain.hasPrefix("a width") { return "<size>" }
    return domain == "text" ? "<text>" : "<choice>"
  }

  /// `units of each hidden layer (default 256; a whole number from 1 to 65536)`.
  public var explanation: String {
    let preset = defaultText.isEmpty ? "none" : defaultText
    return isSwitch || domain == "text" ? "\(help) (default \(preset))" : "\(help) (default \(preset); \(domain))"
  }

  /// `--layer-norm, --no-layer-norm` or `--hidden <n>`.
  public var flag: String { isSwitch ? "--\(key), --no-\(key)" : "--\(key) \(placeholder)" }
}

extension SettingsGroup {
  /// All settings with their defaults, in the order of their declaration.
  public static var rows: [SettingRow] { Self().rows }

  /// All settings, with these values as the defaults.
  public var rows: [SettingRow] {
    Self.fields.map {
      SettingRow(
        key: $0.key, help: $0.help, domain: $0.domain, defaultText: $0.text(self), choices: $0.choices,
        isSwitch: $0.isSwitch)
    }
  }
}

/// Returns each distinct text with the names of its owners: `64 for ppo, trpo; 128 for rainbow`.
public func groupedByText(_ owners: [(name: String, text: String)]) -> String {
  var texts: [String] = []
  for owner in owners where !texts.contains(owner.text) { texts.append(owner.text) }
  return texts.map { text in
    "\(text) for \(owners.filter { $0.text == text }.map(\.name).joined(separator: ", "))"
  }.joined(separator: "; ")
}

/// Settings under a heading, such as the settings of one agent.
public struct SettingsSection: Sendable, Hashable {
  public let title: String
  public let rows: [SettingRow]

  public init(_ title: String, _ groups: any SettingsGroup.Type...) {
    self.title = title
    rows = groups.flatMap { $0.rows }
  }

  /// A heading and a table in Markdown, as used in the documentation.
  public var markdown: String {
    var lines = ["### \(title)", "", "| flag | default | description | values |", "|---|---|---|---|"]
    for row in rows {
      let preset = row.defaultText.isEmpty ? "" : "`\(row.defaultText)`"
      lines.append("| `--\(row.key)` | \(preset) | \(cell(row.help)) | \(cell(row.domain)) |")
    }
    return lines.joined(separator: "\n") + "\n"
  }

  /// The settings as aligned lines of help text.
  public var help: String {
    let width = rows.map(\.flag.count).max() ?? 0
    let lines = rows.map { row in
      "  " + row.flag + String(repeating: " ", count: width - row.flag.count + 2) + row.explanation
    }
    return ([title + ":"] + lines).joined(separator: "\n") + "\n"
  }

  private func cell(_ text: String) -> String {
    String(text.flatMap { $0 == "|" ? ["\\", "|"] : [$0] })
  }
}
