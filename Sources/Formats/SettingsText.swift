import Core

extension SettingsFile {
  /// Returns the text of a config file with these groups. Each setting has its help text as a comment. Groups with the
  /// same title are merged at the position of the first.
  public static func text(of groups: [any SettingsGroup]) -> String {
    let titles = groups.map(\.title).uniqued()
    return titles.map { title in
      let lines = groups.filter { $0.title == title }.flatMap { $0.commentedLines }
      let width = lines.map(\.setting.count).filter { $0 <= 40 }.max() ?? 0
      return "\(title):\n"
        + lines.map { line in
          let gap = String(repeating: " ", count: max(0, width - line.setting.count) + 2)
          return "  \(line.setting)\(gap)# \(line.comment)\n"
        }.joined()
    }.joined(separator: "\n")
  }
}

extension SettingsGroup {
  /// For each setting, `hidden: 256` and its explanation.
  fileprivate var commentedLines: [(setting: String, comment: String)] {
    zip(record, Self.rows).map { entry, row in ("\(entry.key): \(scalar(entry.text))", row.explanation) }
  }
}

/// Returns a YAML scalar: the text itself if it has no special characters, otherwise in double quotes.
private func scalar(_ text: String) -> String {
  let isPlain = text.utf8.allSatisfy {
    switch $0 {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
      UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "/"), UInt8(ascii: "."), UInt8(ascii: "-"):
      true
    default: false
    }
  }
  // A word that YAML reads as null must be quoted.
  if isPlain, let first = text.utf8.first, first != UInt8(ascii: "-") || text.count > 1, text.lowercased() != "null" {
    return text.hasPrefix("-") && Double(text) == nil ? quoted(text) : text
  }
  return quoted(text)
}

private func quoted(_ text: String) -> String {
  let characters = text.unicodeScalars.map { scalar in
    switch scalar.value {
    case 0x22, 0x5c: "\\\(scalar)"
    // Control characters and line breaks, and '&', which our reader would reject as an anchor.
    case 0..<0x20, 0x26, 0x7f..<0xa0, 0x2028, 0x2029, 0xfeff, 0xfffe, 0xffff:
      "\\u" + String(repeating: "0", count: 4 - String(scalar.value, radix: 16).count) + String(scalar.value, radix: 16)
    default: String(scalar)
    }
  }
  return "\"\(characters.joined())\""
}
