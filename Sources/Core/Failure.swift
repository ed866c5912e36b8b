/// Wrong input: the message says what to type instead. The command ends with exit code 64.
public struct InputError: Error, CustomStringConvertible, Hashable {
  public let description: String
  public init(_ description: String) { self.description = description }

  /// "unknown environment 'cartpol': did you mean 'cartpole-swingup'?", with all known names when none is near.
  public static func unknown(_ kind: String, _ name: String, known: [String]) -> InputError {
    if let ours = alias(name, among: known) {
      return InputError("unknown \(kind) '\(name)': did you mean '\(ours)'?")
    }
    if let nearest = nearest(to: name, among: known) {
      return InputError("unknown \(kind) '\(name)': did you mean '\(nearest)'?")
    }
    return InputError("unknown \(kind) '\(name)': choose from \(known.joined(separator: ", "))")
  }
}

extension InputError {
  /// What is called here what other programs call so; nil where none of the known names is.
  public static func alias(_ name: String, among known: [String]) -> String? {
    Aliases.ours(for: name).first(where: known.contains)
  }
}

/// A wrong world: a file, a disk, a library. The message names the path. The command ends with exit code 1.
public struct WorldError: Error, CustomStringConvertible, Hashable {
  public let description: String
  public init(_ description: String) { self.description = description }
  public init(path: String, _ reason: String) { description = "\(path): \(reason)" }
}

/// A file that does not hold what was written. The message names the path. The command ends with exit code 1.
public struct DamagedFile: Error, CustomStringConvertible, Hashable {
  public let description: String
  public init(path: String, _ what: String) { description = "\(path): \(what)" }
}

/// The known name with the smallest edit distance, when that is small beside the name's length or the name is a part.
public func nearest(to name: String, among known: [String]) -> String? {
  let ranked = known.map { ($0, editDistance(name.lowercased(), $0.lowercased())) }
  guard let best = ranked.min(by: { $0.1 < $1.1 }) else { return nil }
  if best.1 <= max(2, name.count / 3) { return best.0 }
  return known.first { $0.lowercased().hasPrefix(name.lowercased()) && !name.isEmpty }
}

/// Levenshtein's distance in insertions, deletions and substitutions of characters.
func editDistance(_ a: String, _ b: String) -> Int {
  let (a, b) = (Array(a), Array(b))
  var previous = Array(0...b.count)
  for i in 0..<a.count {
    var current = [i + 1]
    for j in 0..<b.count {
      current.append(min(previous[j + 1] + 1, current[j] + 1, previous[j] + (a[i] == b[j] ? 0 : 1)))
    }
    previous = current
  }
  return previous[b.count]
}
