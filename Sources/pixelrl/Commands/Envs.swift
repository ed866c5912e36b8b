import ArgumentParser
import Core
import Environments

/// `pixelrl envs`
struct Envs: ParsableCommand {
  static let configuration = CommandConfiguration(abstract: "List the environments.")

  @Option(parsing: .unconditional, help: ArgumentHelp("episodes that the random policy plays of each", valueName: "n"))
  var episodes: Int = 10

  @Option(parsing: .unconditional, help: ArgumentHelp("the number that the randomness comes from", valueName: "n"))
  var seed: UInt64 = 0

  @Flag(help: "end with one JSON object on a line of its own")
  var json = false

  func run() throws {
    guard episodes > 0 else { throw InputError("--episodes takes a whole number of at least 1, not '\(episodes)'") }
    var rows: [Row] = []
    var missing: [String] = []
    for type in Environments.all {
      do {
        try type.prepare()
        rows.append(Row(type, episodes: episodes, seed: Seed(seed)))
      } catch { missing.append("\(type.id) is not there: \(error)") }
    }
    let header = ["environment", "actions", "episode", "repeat", "random return", "note"]
    for line in aligned([header] + rows.map(\.cells)) { try printLine(line) }
    for line in missing { try printLine(line) }
    try printLine(
      "and any environment of Gymnasium, such as gym:CartPole-v1, gym:ALE/Pong-v5 or gym:my_module:MyEnv-v0")
    if json { try printLine(JSON.object([.init("environments", .array(rows.map(\.json)))]).description) }
  }
}

/// What the catalog says of an environment.
private struct Row {
  let cells: [String]
  let json: JSON

  init<E: Environment>(_ environment: E.Type, episodes: Int, seed: Seed) {
    let random = E.randomReturn(episodes: episodes, seed: seed)
    cells = [
      E.id, E.actionSpace.description, "\(E.episodeLength)", "\(E.actionRepeat)", "\((random * 10).rounded() / 10)",
      E.note,
    ]
    json = [
      "environment": .string(E.id), "actions": .string(E.actionSpace.description),
      "episode_length": .integer(E.episodeLength), "action_repeat": .integer(E.actionRepeat),
      "random_return": .number(random), "note": .string(E.note),
    ]
  }
}

/// Rows of cells as lines whose columns line up.
func aligned(_ rows: [[String]]) -> [String] {
  let columns = rows.map(\.count).max() ?? 0
  let widths = (0..<columns).map { column in rows.compactMap { $0.dropFirst(column).first?.count }.max() ?? 0 }
  return rows.map { row in
    let cells = row.enumerated().map { column, cell in
      column == row.count - 1 ? cell : cell + String(repeating: " ", count: widths[column] - cell.count)
    }
    return cells.joined(separator: "  ")
  }
}
