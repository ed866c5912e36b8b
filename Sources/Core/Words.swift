// Words of messages.

/// A word of a shell command: as it is if it has no special characters, otherwise in single quotes.
public func shellQuoted(_ text: String) -> String {
  let isPlain = text.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || "/._-+=:,@%".contains($0)) }
  return isPlain && !text.isEmpty ? text : "'\(text.replacing("'", with: "'\\''"))'"
}

/// Returns a number of things: `1 point`, `2 points`; for some nouns with their plural, as `2 processes`.
public func counted(_ number: Int, _ noun: String, plural: String? = nil) -> String {
  "\(number) \(number == 1 ? noun : plural ?? noun + "s")"
}

/// Returns names as a list in a sentence: `held, correlated or uniform`.
public func alternatives(_ names: [String], _ conjunction: String = "or") -> String {
  guard let last = names.last, names.count > 1 else { return names.joined() }
  return "\(names.dropLast().joined(separator: ", ")) \(conjunction) \(last)"
}
