/// One setting as the help screen, the README and the completions show it, without its group's type.
public struct SettingRow: Sendable, Hashable {
  /// `hidden`, typed as `--hidden`.
  public let key: String
  public let help: String
  /// `a whole number from 1 to 64`.
  public var domain: String
  /// The value of a group that nobody changed, as one would type it.
  public var defaultText: String
  /// All that may stand there, where that can be said.
  public var choices: [String]
  public var isSwitch: Bool

  /// What stands for the value: `<n>`, `<text>`; nothing after a switch.
  public var placeholder: String {
    if isSwitch { return "" }
    if domain.hasPrefix("a whole number") { return "<n>" }
    if domain.hasPrefix("a number") { return "<x>" }
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
  public static var rows: [SettingRow] {
    let defaults = Self()
    return fields.map {
      SettingRow(
        key: $0.key, help: $0.help, domain: $0.domain, defaultText: $0.text(defaults), choices: $0.choices,
        isSwitch: $0.isSwitch)
    }
  }
}

/// `64 of ppo, trpo; 128 of rainbow`: each text with the names of those that have it.
public func namesByText(_ owners: [(name: String, text: String)]) -> String {
  var texts: [String] = []
  for owner in owners where !texts.contains(owner.text) { texts.append(owner.text) }
  return texts.map { text in
    "\(text) of \(owners.filter { $0.text == text }.map(\.name).joined(separator: ", "))"
  }.joined(separator: "; ")
}

/// Settings under a heading, such as those of one agent.
public struct SettingsSection: Sendable, Hashable {
  public let title: String
  public let rows: [SettingRow]

  public init(_ title: String, _ groups: any SettingsGroup.Type...) {
    self.title = title
    rows = groups.flatMap { $0.rows }
  }

  /// A heading and a table in Markdown, as the README has them.
  public var markdown: String {
    var lines = ["### \(title)", "", "| flag | default | what it sets | takes |", "|---|---|---|---|"]
    for row in rows {
      let preset = row.defaultText.isEmpty ? "" : "`\(row.defaultText)`"
      lines.append("| `--\(row.key)` | \(preset) | \(cell(row.help)) | \(cell(row.domain)) |")
    }
    return lines.joined(separator: "\n") + "\n"
  }

  /// The settings as aligned lines of help.
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
