import Core

/// A named problem: a decision process, with its observation model if it is partially observed.
public struct Problem: Sendable, Hashable {
  public let id: String
  /// A description in one sentence.
  public let summary: String
  public let process: MarkovDecisionProcess
  /// The partially observed process. Nil if the state is observed.
  public let observed: PartiallyObservedProcess?

  public init(id: String, summary: String, process: MarkovDecisionProcess) {
    (self.id, self.summary, self.process, observed) = (id, summary, process, nil)
  }

  public init(id: String, summary: String, observed: PartiallyObservedProcess) {
    (self.id, self.summary, process, self.observed) = (id, summary, observed.process, observed)
  }
}

/// The named problems.
public enum Problems {
  public static let all: [@Sendable () throws -> Problem] = [twoState, chain, gridworld, tiger]

  /// Returns the problem with the given name, or reads it from a JSON file in the format of `Problem.init(json:)`.
  ///
  /// - Parameter name: A name, or a path if it contains a slash or ends in `.json`.
  /// - Throws: `InputError` that suggests the closest name or says why the file is invalid; `WorldError` if the file
  ///   cannot be read.
  public static func named(_ name: String) throws -> Problem {
    if name.contains("/") || name.hasSuffix(".json") { return try Problem(path: name) }
    let problems = try all.map { try $0() }
    guard let problem = problems.first(where: { $0.id == name }) else {
      throw InputError.unknown("problem", name, known: problems.map(\.id) + ["a .json file"])
    }
    return problem
  }

  /// Stay or move between a poor and a rich state. Moving sometimes fails.
  public static func twoState() throws -> Problem {
    let process = try MarkovDecisionProcess(
      transitions: [[[0.9, 0.1], [0.2, 0.8]], [[0.1, 0.9], [0.8, 0.2]]],
      rewards: [[0, -0.5], [1, 0.5]], discount: 0.9, start: [0.5, 0.5], stateNames: ["poor", "rich"],
      actionNames: ["stay", "move"])
    return Problem(id: "two-state", summary: "stay or move between a poor and a rich state", process: process)
  }

  /// A chain with the largest reward at its far end, a small reward for going back, and slips (Strens 2000).
  public static func chain() throws -> Problem {
    let (length, slip) = (5, 0.2)
    let outcomes = (0..<length).map { s in
      // forward, and back to the start
      [(next: min(s + 1, length - 1), reward: s == length - 1 ? 10.0 : 0), (next: 0, reward: 2.0)]
    }
    let process = try MarkovDecisionProcess(
      transitions: outcomes.map { [row($0[0].next, $0[1].next, slip), row($0[1].next, $0[0].next, slip)] },
      rewards: outcomes.map { o in
        [(1 - slip) * o[0].reward + slip * o[1].reward, (1 - slip) * o[1].reward + slip * o[0].reward]
      },
      discount: 0.9, start: (0..<length).map { $0 == 0 ? 1 : 0 }, actionNames: ["forward", "back"])
    func row(_ likely: Int, _ other: Int, _ slip: Double) -> [Double] {
      var row = Array(repeating: 0.0, count: length)
      row[likely] += 1 - slip
      row[other] += slip
      return row
    }
    return Problem(
      id: "chain", summary: "walk to the far end, which pays most, or take a little at once", process: process)
  }

  /// A 4x4 grid with a goal in a corner and a pit on the way. Both lead back to the start, so the process never ends.
  /// Moves sometimes slip to either side.
  public static func gridworld() throws -> Problem {
    let (size, slip, goal, pit) = (4, 0.1, 15, 6)
    let moves = [(0, -1), (1, 0), (0, 1), (-1, 0)]  // up, right, down, left
    func neighbor(_ cell: Int, _ move: Int) -> Int {
      let (x, y) = (cell % size + moves[move].0, cell / size + moves[move].1)
      return (0..<size).contains(x) && (0..<size).contains(y) ? y * size + x : cell
    }
    let transitions = (0..<size * size).map { cell in
      moves.indices.map { move in
        var row = Array(repeating: 0.0, count: size * size)
        if cell == goal || cell == pit {
          row[0] = 1
        } else {
          row[neighbor(cell, move)] += 1 - 2 * slip
          row[neighbor(cell, (move + 1) % 4)] += slip
          row[neighbor(cell, (move + 3) % 4)] += slip
        }
        return row
      }
    }
    let process = try MarkovDecisionProcess(
      transitions: transitions,
      rewards: (0..<size * size).map { Array(repeating: $0 == goal ? 1 : $0 == pit ? -1 : 0, count: 4) },
      discount: 0.95, start: (0..<size * size).map { $0 == 0 ? 1 : 0 },
      stateNames: (0..<size * size).map { "\($0 % size),\($0 / size)" }, actionNames: ["up", "right", "down", "left"])
    return Problem(id: "gridworld", summary: "cross a slippery field to its far corner, past a pit", process: process)
  }

  /// A tiger is behind one of two doors. Listening reports which one, with errors (Kaelbling, Littman and Cassandra
  /// 1998).
  ///
  /// The observation depends on whether the agent has just listened, but the notes' emission p(o|s) depends on the
  /// state only. So a state is the tiger's side together with whether the agent has just listened.
  public static func tiger() throws -> Problem {
    let fresh = [0.5, 0, 0.5, 0]  // after a door is opened: a new game, not yet listened
    func rows(heard: Int) -> [[Double]] { [(0..<4).map { $0 == heard ? 1 : 0 }, fresh, fresh] }
    let process = try MarkovDecisionProcess(
      transitions: [rows(heard: 1), rows(heard: 1), rows(heard: 3), rows(heard: 3)],
      rewards: [[-1, -100, 10], [-1, -100, 10], [-1, 10, -100], [-1, 10, -100]], discount: 0.95, start: fresh,
      stateNames: ["tiger left", "tiger left, heard", "tiger right", "tiger right, heard"],
      actionNames: ["listen", "open left", "open right"])
    let observed = try PartiallyObservedProcess(
      process: process, emissions: [[0.5, 0.5], [0.85, 0.15], [0.5, 0.5], [0.15, 0.85]],
      observationNames: ["left", "right"])
    return Problem(id: "tiger", summary: "listen for a tiger, and open the other door", observed: observed)
  }
}
