import Core
import Formats

/// An entry in a list of runs.
public struct RunEntry: Sendable, Hashable {
  public let run: RunDirectory
  /// Nil if `run.json` is damaged.
  public let facts: RunDirectory.Facts?
  public let status: RunStatus
  public let progress: RunProgress
  /// What is damaged in the run's files; nil if nothing is.
  public let damage: String?

  /// Reads the files that exist. Damaged files are not an error here.
  public init(_ run: RunDirectory) {
    self.run = run
    status = run.status
    progress = run.progress
    do { (facts, damage) = (try run.facts(), nil) } catch { (facts, damage) = (nil, "\(error)") }
  }

  public var json: JSON {
    [
      "run": .string(run.path), "status": .string(damage == nil ? status.rawValue : "damaged"),
      "command": facts.map { .string($0.command) } ?? .null,
      "environment": facts.map { .string($0.environment) } ?? .null,
      "member": facts.map { .string($0.member) } ?? .null, "seed": facts.map { JSON(whole: $0.seed) } ?? .null,
      "step": progress.step.map { .integer($0) } ?? .null, "of": progress.goal.map { .integer($0) } ?? .null,
      "return": progress.returned.map { .number($0) } ?? .null, "why": facts.map { .string($0.why) } ?? .null,
      "began": facts.map { .integer($0.began) } ?? .null, "damage": damage.map { .string($0) } ?? .null,
    ]
  }

  /// Returns the runs in a folder and in its subfolders, sorted by name. If the folder is a run, returns that run.
  ///
  /// - Throws: `WorldError` with the path if the folder cannot be read.
  public static func all(in root: String) throws -> [RunEntry] { try all(in: root, depth: 3) }

  private static func all(in folder: String, depth: Int) throws -> [RunEntry] {
    if let run = RunDirectory(anyAt: folder) { return [RunEntry(run)] }
    guard depth > 0 else { return [] }
    return try visibleFolders(in: folder).flatMap { try all(in: $0, depth: depth - 1) }
  }
}

// MARK: - Choosing

extension RunEntry {
  /// The keys that runs can be sorted by.
  public enum SortKey: String, Sendable, CaseIterable {
    case began
    case name
    case status
    case step
    case `return`
    case seed
  }

  /// The run's number for a key; nil if it has none.
  func number(_ key: SortKey) -> Double? {
    switch key {
    case .began: facts.map { Double($0.began) }
    case .step: progress.step.map(Double.init)
    case .return: progress.returned
    case .seed: facts.map { Double($0.seed) }
    case .name, .status: nil
    }
  }

  /// Returns the entries sorted by a key: descending for step and return, otherwise ascending. Entries without a value
  /// come last.
  public static func sorted(_ entries: [RunEntry], by key: SortKey) -> [RunEntry] {
    switch key {
    case .name: entries.sorted { $0.run.name < $1.run.name }
    case .status: entries.sorted { ($0.status.rawValue, $0.run.name) < ($1.status.rawValue, $1.run.name) }
    case .step, .return: entries.sorted { ($0.number(key) ?? -.infinity) > ($1.number(key) ?? -.infinity) }
    case .began, .seed: entries.sorted { ($0.number(key) ?? .infinity) < ($1.number(key) ?? .infinity) }
    }
  }

  /// Returns the entries sorted by a number of the run, such as `return_best` or a metric, descending. Entries without
  /// it come last.
  ///
  /// - Throws: `InputError` if no run has it.
  public static func sorted(_ entries: [RunEntry], byNumber name: String) throws -> [RunEntry] {
    let numbers = entries.map { $0.run.numbers }
    guard entries.isEmpty || numbers.contains(where: { $0[name] != nil }) else {
      let known = Set(numbers.flatMap(\.keys)).union(SortKey.allCases.map(\.rawValue))
      throw InputError.unknown("key or metric", name, known: known.sorted())
    }
    let order = numbers.indices.sorted { (numbers[$0][name] ?? -.infinity) > (numbers[$1][name] ?? -.infinity) }
    return order.map { entries[$0] }
  }

  /// A condition on a number of a run: `return > 500`.
  public struct Condition: Sendable {
    private let key: SortKey
    private let compare: @Sendable (Double, Double) -> Bool
    private let bound: Double

    /// - Throws: `InputError` that says what a condition looks like.
    public init(parsing text: String) throws {
      let operators: [(String, @Sendable (Double, Double) -> Bool)] = [
        ("<=", { $0 <= $1 }), (">=", { $0 >= $1 }), ("!=", { $0 != $1 }), ("<", { $0 < $1 }), (">", { $0 > $1 }),
        ("=", { $0 == $1 }),
      ]
      let compact = text.filter { $0 != " " }
      guard let (sign, compare) = operators.first(where: { compact.contains($0.0) }) else { throw Self.error(text) }
      let parts = compact.split(separator: sign, maxSplits: 1, omittingEmptySubsequences: false)
      guard parts.count == 2, let key = SortKey(rawValue: String(parts[0])), [.return, .step, .seed].contains(key),
        let bound = Double(parts[1])
      else { throw Self.error(text) }
      (self.key, self.compare, self.bound) = (key, compare, bound)
    }

    private static func error(_ text: String) -> InputError {
      InputError("--filter takes 'return > 500', or step or seed with <, <=, >, >=, = or !=, not '\(text)'")
    }

    /// Whether the condition holds. False if the run has no such number.
    public func holds(for entry: RunEntry) -> Bool { entry.number(key).map { compare($0, bound) } ?? false }
  }
}
