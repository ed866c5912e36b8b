import Core
import Runs

#if canImport(Glibc)
  import Glibc
#else
  import Foundation
#endif

/// Runs that a researcher names for a comparison: `[NAME=]PLACE[,PLACE…]`.
///
/// A place is the folder of a run, a folder that runs lie in (at any depth that experiments make), or a pattern such as
/// `'runs/*-sac-*'`. With a name all of its runs are one group; without one, runs that differ in nothing but their seed
/// are.
public struct RunSelection: Sendable, Hashable {
  /// Nil where the runs' settings decide.
  public let name: String?
  /// In the order of the places, each run once.
  public let runs: [RunDirectory]

  /// - Throws: `InputError` that says which place holds no runs, `WorldError` where a folder cannot be read.
  public init(parsing text: String) throws {
    var places = text
    // A path that exists may have an = in it.
    if let equals = text.firstIndex(of: "="), !exists(text), !text[..<equals].contains("/") {
      name = String(text[..<equals])
      places = String(text[text.index(after: equals)...])
      guard name?.isEmpty == false else { throw InputError("'\(text)': a group's name is missing before the =") }
    } else {
      name = nil
    }
    var seen: Set<String> = []
    runs = try places.split(separator: ",", omittingEmptySubsequences: false).flatMap { place in
      try Self.runs(at: String(place))
    }.filter { seen.insert(try absolutePath($0.path)).inserted }
  }

  private static func runs(at place: String) throws -> [RunDirectory] {
    let paths = exists(place) ? [place] : matches(of: place)
    let runs = try paths.filter(isFolder).flatMap { try RunEntry.all(in: $0) }.map(\.run)
    guard !runs.isEmpty else {
      throw InputError(
        paths.isEmpty
          ? "'\(place)' is no run, no folder of runs and no pattern that fits any"
          : "\(place) holds no runs: give the folder of a run, or one that runs lie in")
    }
    return runs
  }

  /// The paths that fit a pattern as a shell's, in order.
  private static func matches(of pattern: String) -> [String] {
    var found = unsafe glob_t()
    defer { unsafe globfree(&found) }
    guard unsafe glob(pattern, 0, nil, &found) == 0 else { return [] }
    return unsafe (0..<Int(found.gl_pathc)).compactMap { index in
      unsafe found.gl_pathv[index].map { unsafe String(cString: $0) }
    }
  }
}
