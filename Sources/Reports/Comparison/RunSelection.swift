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
  /// In the order of the places, each run once; none where the places exist and hold no runs.
  public let runs: [RunDirectory]

  /// The selections of several texts, of which those that hold no runs are passed over: `runs/*` names all that lies
  /// there.
  ///
  /// - Throws: `InputError` where no runs are left, or a place does not exist; `WorldError` where a folder cannot be read.
  public static func all(parsing texts: [String]) throws -> [RunSelection] {
    let selections = try texts.map { try RunSelection(parsing: $0) }
    guard selections.contains(where: { !$0.runs.isEmpty }) else {
      throw InputError(
        "\(texts.joined(separator: ", ")) \(texts.count == 1 ? "holds" : "hold") no runs: give the folder of a run, or one "
          + "that runs lie in")
    }
    return selections.filter { !$0.runs.isEmpty }
  }

  /// The runs of places, each once: of folders of runs, folders that they lie in, and patterns.
  ///
  /// - Throws: as `all(parsing:)`.
  public static func runs(at places: [String]) throws -> [RunDirectory] {
    try distinct(all(parsing: places).flatMap(\.runs))
  }

  private static func distinct(_ runs: [RunDirectory]) throws -> [RunDirectory] {
    var seen: Set<String> = []
    return try runs.filter { seen.insert(try absolutePath($0.path)).inserted }
  }

  /// - Throws: `InputError` where a place does not exist or a named group has no runs, `WorldError` where a folder cannot
  ///   be read.
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
    runs = try Self.distinct(
      places.split(separator: ",", omittingEmptySubsequences: false).flatMap { try Self.runs(at: String($0)) })
    if let name, runs.isEmpty { throw InputError("the group '\(name)' has no runs: \(places) holds none") }
  }

  private static func runs(at place: String) throws -> [RunDirectory] {
    let paths = exists(place) ? [place] : matches(of: place)
    guard !paths.isEmpty else {
      throw InputError("'\(place)' is no run, no folder of runs and no pattern that fits any")
    }
    return try paths.filter(isFolder).flatMap { try RunEntry.all(in: $0) }.map(\.run)
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
