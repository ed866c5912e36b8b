/// Invalid input from the user. The message says what to use instead. Commands exit with code 64.
public struct InputError: Error, CustomStringConvertible, Hashable {
  public let description: String
  public init(_ description: String) { self.description = description }

  /// Returns an error such as "unknown environment 'cartpol': did you mean 'cartpole-swingup'?". It lists all known
  /// names if none is similar.
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
  /// Returns our name for a name from another library, or nil if none of the known names corresponds to it.
  public static func alias(_ name: String, among known: [String]) -> String? {
    Aliases.ours(for: name).first(where: known.contains)
  }
}

/// A failure outside the program, such as in a file, a disk or a library. The message starts with the path. Commands
/// exit with code 1.
public struct WorldError: Error, CustomStringConvertible, Hashable {
  public let description: String
  public init(_ description: String) { self.description = description }
  public init(path: String, _ reason: String) { description = "\(path): \(reason)" }
}

/// A file whose contents are corrupt. The message starts with the path. Commands exit with code 1.
public struct DamagedFile: Error, CustomStringConvertible, Hashable {
  public let description: String
  public init(path: String, _ what: String) { description = "\(path): \(what)" }
}

/// Returns the known name with the smallest edit distance if that distance is small relative to the name's length,
/// otherwise the first known name that starts with `name`, or nil.
public func nearest(to name: String, among known: [String]) -> String? {
  let ranked = known.map { ($0, editDistance(name.lowercased(), $0.lowercased())) }
  guard let best = ranked.min(by: { $0.1 < $1.1 }) else { return nil }
  if best.1 <= max(2, name.count / 3) { return best.0 }
  return known.first { $0.lowercased().hasPrefix(name.lowercased()) && !name.isEmpty }
}

/// Returns the Levenshtein distance: the minimum number of insertions, deletions and substitutions of characters.
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
