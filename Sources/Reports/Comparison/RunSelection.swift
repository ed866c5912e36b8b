import Core
import Runs

#if canImport(Glibc)
  import Glibc
#else
  import Foundation
#endif

/// Runs selected for a comparison: `[NAME=]PATH[,PATH…]`.
///
/// A path is a run directory, a folder with runs up to three levels below it, or a pattern such as `'runs/*-sac-*'`.
/// With a name, all of the runs form one group. Without a name, runs that differ only in their seed form a group.
public struct RunSelection: Sendable, Hashable {
  /// The group's name; nil if the runs are grouped by their settings.
  public let name: String?
  /// The runs in the order of the paths, each run once. Empty if the paths exist but have no runs.
  public private(set) var runs: [RunDirectory]

  /// Parses several selections. Skips those without runs, since a pattern such as `runs/*` also matches other files, and
  /// in unnamed selections the runs of named ones.
  ///
  /// - Throws: `InputError` if there are no runs at all, or a path does not exist; `WorldError` if a folder cannot be
  ///   read.
  public static func all(parsing texts: [String]) throws -> [RunSelection] {
    var selections = try texts.map { try RunSelection(parsing: $0) }
    guard selections.contains(where: { !$0.runs.isEmpty }) else {
      throw InputError(
        "\(texts.joined(separator: ", ")) \(texts.count == 1 ? "has" : "have") no runs: give a run directory, or a "
          + "folder with runs")
    }
    // A run that several unnamed selections find counts once, and not again if it is in a named group.
    var taken = try Set(selections.filter { $0.name != nil }.flatMap(\.runs).map { try absolutePath($0.path) })
    for index in selections.indices where selections[index].name == nil {
      selections[index].runs = try selections[index].runs.filter { taken.insert(try absolutePath($0.path)).inserted }
    }
    return selections.filter { !$0.runs.isEmpty }
  }

  /// Returns the runs at paths, each run once. A path is a run directory, a folder with runs, or a pattern.
  ///
  /// - Throws: The errors of `all(parsing:)`.
  public static func runs(at paths: [String]) throws -> [RunDirectory] {
    try distinct(all(parsing: paths).flatMap(\.runs))
  }

  private static func distinct(_ runs: [RunDirectory]) throws -> [RunDirectory] {
    var seen: Set<String> = []
    return try runs.filter { seen.insert(try absolutePath($0.path)).inserted }
  }

  /// - Throws: `InputError` if a path does not exist or a named group has no runs, `WorldError` if a folder cannot be
  ///   read.
  public init(parsing text: String) throws {
    var paths = text
    // A path that exists may contain an = or a comma.
    if let equals = text.firstIndex(of: "="), !exists(text), !text[..<equals].contains("/") {
      name = String(text[..<equals])
      paths = String(text[text.index(after: equals)...])
      guard name?.isEmpty == false else { throw InputError("'\(text)' has no group name before the =") }
    } else {
      name = nil
    }
    runs = try Self.distinct(
      (exists(paths) ? [paths] : paths.split(separator: ",", omittingEmptySubsequences: false).map(String.init))
        .flatMap { try Self.runs(at: $0) })
    if let name, runs.isEmpty { throw InputError("the group '\(name)' has no runs: there are none in \(paths)") }
  }

  private static func runs(at path: String) throws -> [RunDirectory] {
    let paths = exists(path) ? [path] : matches(of: path)
    guard !paths.isEmpty else {
      throw InputError("'\(path)' is not a run, a folder of runs or a pattern that matches any")
    }
    return try paths.filter(isFolder).flatMap { try RunEntry.all(in: $0) }.map(\.run)
  }

  /// Returns the sorted paths that match a shell pattern.
  private static func matches(of pattern: String) -> [String] {
    var found = unsafe glob_t()
    defer { unsafe globfree(&found) }
    guard unsafe glob(pattern, 0, nil, &found) == 0 else { return [] }
    return unsafe (0..<Int(found.gl_pathc)).compactMap { index in
      unsafe found.gl_pathv[index].map { unsafe String(cString: $0) }
    }
  }
}
