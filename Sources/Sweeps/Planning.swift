import Core
import Formats
import Foundation
import Runs

/// The settings of a draft, as a command resolves them.
public struct ResolvedSettings: Sendable {
  /// The text of the settings file.
  public private(set) var text: String
  /// Title, key and value of each setting, in the order of the file.
  public private(set) var entries: [Entry]

  public struct Entry: Sendable, Hashable {
    public let title: String
    public let key: String
    public var value: String
    /// The value as which versions without this setting behaved; nil if all versions have it.
    let unwritten: String?
  }

  public init(_ groups: [any SettingsGroup]) {
    text = SettingsFile.text(of: groups)
    entries = groups.flatMap { group in
      let added = type(of: group).addedLater
      return group.record.map { Entry(title: group.title, key: $0.key, value: $0.text, unwritten: added[$0.key]) }
    }
  }

  /// Returns the settings with other values of some keys, which must be plain words.
  public func setting(_ values: [String: String]) -> ResolvedSettings {
    var changed = self
    for (place, entry) in entries.enumerated() {
      guard let value = values[entry.key], value != entry.value,
        let range = changed.text.range(of: "\n  \(entry.key): ")
      else { continue }
      changed.entries[place].value = value
      let end = changed.text[range.upperBound...].firstIndex { $0 == " " || $0 == "\n" } ?? changed.text.endIndex
      changed.text.replaceSubrange(range.upperBound..<end, with: value)
    }
    return changed
  }

  /// The number of steps of the run; nil if it does not count steps.
  var length: Int? {
    let isOffline = entries.contains { $0.title == "training" && $0.key == "dataset" && !$0.value.isEmpty }
    return RunProgress.goal(isOffline: isOffline, value)
  }

  public func value(of key: String) -> String? { entries.first { $0.key == key }?.value }

  /// The hash that identifies a point. It leaves out settings that older versions lacked, at the value as which these
  /// behaved, so that planning with a newer version keeps the results.
  ///
  /// - Parameter replacements: values that stand for others, by key, such as the folder of an autoencoder relative to
  ///   the sweep's.
  public func hash(of command: Point.Command, replacing replacements: [String: String] = [:]) -> String {
    let lines = entries.filter { $0.value != $0.unwritten }
      .map { "\($0.title).\($0.key)=\(replacements[$0.key] ?? $0.value)\n" }
    let digits = String(xxHash64(Array((command.rawValue + "\n" + lines.joined()).utf8)), radix: 16)
    return String(repeating: "0", count: 16 - digits.count) + digits
  }
}

/// Resolves the settings of a draft with all its flags.
public typealias Resolver = (Point.Command, _ flags: PlanFile.Settings) throws -> ResolvedSettings

extension SweepFolder {
  /// The result of planning.
  public struct Planned: Sendable {
    public let folder: SweepFolder
    public let added: Int
    public let dropped: Int
  }

  /// Writes the points of a plan into a new folder, or changes those of an existing sweep.
  ///
  /// In an existing sweep, a point whose settings did not change keeps its index, its folder and its results; a new or
  /// changed one gets the next free index.
  ///
  /// - Parameters:
  ///   - keys: the flags of each command.
  ///   - resolve: resolves the settings of a draft.
  /// - Throws: `InputError` about a wrong setting, with the point that has it.
  public static func plan(
    _ plan: PlanFile, at path: String, keys: [Point.Command: Set<String>], resolve: Resolver
  ) throws -> Planned {
    let earlier = exists("\(path)/\(record)") ? try SweepFolder(path: path) : nil
    var numbering = Numbering(earlier)
    var done: [Draft.Key: Point] = [:]
    var files: [(point: Point, text: String)] = []
    for draft in try plan.drafts(keys: keys) {
      let needs = draft.needs.sorted { $0.key < $1.key }.compactMap { key, need in done[need].map { (key, $0) } }
      var flags = draft.given
      (flags["env"], flags["seed"]) = (draft.environment, String(draft.seed))
      for (key, point) in needs { flags[key] = point.run }
      let settings: ResolvedSettings
      do { settings = try resolve(draft.command, flags) } catch let error as InputError {
        throw InputError("'\(draft.arm)' in \(draft.environment): \(error)")
      }
      let hash = settings.hash(of: draft.command)
      let point = Point(
        index: numbering.index(of: hash, draft.command, draft.arm), hash: hash, command: draft.command,
        environment: draft.environment, arm: draft.arm, seed: draft.seed,
        needs: needs.map { .init(key: $0, index: $1.index) },
        steps: settings.length,
        threads: settings.value(of: "threads").flatMap { Int(text: $0) } ?? 1)
      done[draft.key] = point
      files.append((point, settings.text))
    }
    let points = files.map(\.point)
    let folder = SweepFolder(
      path: path, title: plan.title, note: plan.note, points: points, nextIndex: numbering.next)
    if let earlier {
      let known = Set(earlier.points.map(\.name))
      try folder.write(files.filter { !known.contains($0.point.name) }, plan, to: path)
      // Only now does no record name them.
      let kept = Set(points.map(\.index))
      let old = earlier.points.filter { !kept.contains($0.index) }
      let settings = try Folder(path: "\(path)/points", followingLink: true)
      for point in old { try settings.remove("\(Point.number(point.index)).yaml") }
      return Planned(folder: folder, added: files.count { !known.contains($0.point.name) }, dropped: old.count)
    }
    let new = try NewFolder(at: path)
    for name in folders { try makeFolder("\(new.path)/\(name)") }
    try folder.write(files, plan, to: new.path)
    try new.commit(last: record)
    return Planned(folder: folder, added: files.count, dropped: 0)
  }

  /// Writes the settings of points, then the record.
  private func write(_ files: [(point: Point, text: String)], _ plan: PlanFile, to path: String) throws {
    let settings = try Folder(path: "\(path)/points", followingLink: true)
    // Workers check the settings' hash, so that a file that a power failure has emptied is noticed.
    for (point, text) in files {
      try settings.write(Array(text.utf8), to: "\(Point.number(point.index)).yaml", isSynced: false)
    }
    try settings.synchronize()
    try writeAtomically(plan.bytes, to: "\(path)/plan.yaml")
    try writeAtomically(Array(text.utf8), to: "\(path)/\(Self.record)")
  }
}

/// Gives points their indices: those of an earlier plan if their settings are the same, otherwise new ones.
private struct Numbering {
  private var earlier: [String: [Point]]
  private(set) var next: Int

  init(_ folder: SweepFolder?) {
    earlier = Dictionary(grouping: folder?.points ?? [], by: \.hash)
    next = folder?.nextIndex ?? 0
  }

  mutating func index(of hash: String, _ command: Point.Command, _ arm: String) -> Int {
    if let same = earlier[hash], !same.isEmpty {
      // Two arms may have the same settings.
      let place = same.firstIndex { $0.arm == arm } ?? 0
      return earlier[hash]?.remove(at: place).index ?? next
    }
    next += 1
    return next - 1
  }
}
