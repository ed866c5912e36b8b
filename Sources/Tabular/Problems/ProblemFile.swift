import Core
import Formats

extension Problem {
  /// The maximum number of states times actions times states, which limits the memory that a file can require.
  static let largestTensor = 4_000_000
  /// The maximum number of states. Exact solutions solve linear systems of this size.
  static let mostStates = 1000

  /// Reads a problem from a JSON file. See `init(json:)`.
  ///
  /// - Throws: `InputError` with the path and the reason if the content is invalid; `WorldError` if the file cannot be
  ///   read.
  public init(path: String) throws {
    do { try self.init(json: JSON(parsing: readBytes(from: path, limit: 1 << 26))) } catch let error as InputError {
      throw InputError("\(path): \(error)")
    }
  }

  /// Reads a problem from a JSON object with
  ///
  /// - `transitions`: p(s′|s, a) as `[state][action][next state]`
  /// - `rewards`: r(s, a) as `[state][action]`
  /// - `discount`: from 0 to 1
  /// - `start`: p(s₁) as `[state]`; uniform if left out
  /// - `name`, `summary`: strings, and `states`, `actions`: names, all optional
  /// - `emissions`: p(o|s) as `[state][observation]`, with optional names in `observations`, if the problem is
  ///   partially observed
  ///
  /// - Throws: `InputError` that says which part is missing, has the wrong type or size, or is not a distribution. For
  ///   an unknown key, it suggests the closest one.
  public init(json: JSON) throws {
    guard let members = json.members else { throw InputError("a problem is a JSON object") }
    let known = [
      "name", "summary", "states", "actions", "observations", "discount", "start", "transitions", "rewards",
      "emissions",
    ]
    for member in members where !known.contains(member.key) {
      throw InputError.unknown("key", member.key, known: known)
    }
    let transitions = try Self.list(json, "transitions", of: "rows of rows of numbers") { s in
      try Self.list(s, "rows of numbers") { try Self.list($0, "numbers", Self.number) }
    }
    let states = transitions.count
    guard states <= Self.mostStates,
      transitions.reduce(0, { $0 + $1.reduce(0) { $0 + $1.count } }) <= Self.largestTensor
    else {
      throw InputError(
        "is too large for exact solutions: use at most \(Self.mostStates) states and \(Self.largestTensor) transitions")
    }
    guard let discount = json["discount"]?.double else { throw InputError("'discount' must be a number from 0 to 1") }
    let start =
      json["start"] == nil
      ? Array(repeating: 1 / Double(max(states, 1)), count: states)
      : try Self.list(json, "start", of: "numbers", Self.number)
    let process = try MarkovDecisionProcess(
      transitions: transitions,
      rewards: Self.list(json, "rewards", of: "rows of numbers") { try Self.list($0, "numbers", Self.number) },
      discount: discount, start: start, stateNames: Self.names(json, "states"), actionNames: Self.names(json, "actions")
    )
    let (id, summary) = (
      try Self.text(json, "name") ?? "own", try Self.text(json, "summary") ?? "a problem from a file"
    )
    guard json["emissions"] != nil else {
      guard json["observations"] == nil else {
        throw InputError("'observations' are given but 'emissions' are missing")
      }
      self.init(id: id, summary: summary, process: process)
      return
    }
    let observed = try PartiallyObservedProcess(
      process: process,
      emissions: Self.list(json, "emissions", of: "rows of numbers") { try Self.list($0, "numbers", Self.number) },
      observationNames: Self.names(json, "observations"))
    self.init(id: id, summary: summary, observed: observed)
  }

  /// The problem in the format of `init(json:)`.
  public var json: JSON {
    func numbers(_ row: [Double]) -> JSON { .array(row.map { .number($0) }) }
    func rows(_ rows: [[Double]]) -> JSON { .array(rows.map(numbers)) }
    func texts(_ names: [String]) -> JSON { .array(names.map { .string($0) }) }
    var members: [JSON.Member] = [
      .init("name", .string(id)), .init("summary", .string(summary)), .init("states", texts(process.stateNames)),
      .init("actions", texts(process.actionNames)), .init("discount", .number(process.discount)),
      .init("start", numbers(process.start)), .init("transitions", .array(process.transitions.map(rows))),
      .init("rewards", rows(process.rewards)),
    ]
    if let observed {
      members.append(.init("observations", texts(observed.observationNames)))
      members.append(.init("emissions", rows(observed.emissions)))
    }
    return .object(members)
  }

  private static func list<Element>(
    _ json: JSON, _ key: String, of what: String, _ element: (JSON) throws -> Element
  ) throws -> [Element] {
    guard let value = json[key] else { throw InputError("'\(key)' is missing: \(what)") }
    do { return try list(value, what, element) } catch let error as InputError {
      throw InputError("'\(key)': \(error)")
    }
  }

  private static func list<Element>(
    _ value: JSON, _ what: String, _ element: (JSON) throws -> Element
  ) throws -> [Element] {
    guard let values = value.array else { throw InputError("must be an array of \(what)") }
    return try values.map(element)
  }

  private static func number(_ value: JSON) throws -> Double {
    guard let number = value.double else { throw InputError("must be a number, not \(value.description.prefix(40))") }
    return number
  }

  private static func text(_ json: JSON, _ key: String) throws -> String? {
    guard let value = json[key] else { return nil }
    guard let text = value.text, !text.isEmpty else { throw InputError("'\(key)' must be a non-empty string") }
    guard text.utf8.count <= 200,
      !text.unicodeScalars.contains(where: { $0.value < 0x20 || (0x7f...0x9f).contains($0.value) })
    else {
      throw InputError("'\(key)' must be one line of at most 200 bytes")
    }
    return text
  }

  private static func names(_ json: JSON, _ key: String) throws -> [String] {
    guard json[key] != nil else { return [] }
    let names = try list(json, key, of: "names") { value in
      guard let text = try text(.object([.init("name", value)]), "name") else { throw InputError("must be names") }
      return text
    }
    guard !names.isEmpty else { throw InputError("'\(key)' is empty: leave it out, or give all names") }
    return names
  }
}
