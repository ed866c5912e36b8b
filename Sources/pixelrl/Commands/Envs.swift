import ArgumentParser
import Core
import Environments
import Formats

/// `pixelrl envs`
struct Envs: ParsableCommand {
  static let configuration = CommandConfiguration(abstract: "List the environments.")

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp(
      "episodes of a random policy per environment (default: print stored means of 10 episodes)", valueName: "n"),
    transform: wholeNumber)
  var episodes: Int?

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp("the seed of these episodes (default: 0)", valueName: "n"),
    transform: wholeNumber)
  var seed: UInt64?

  @Flag(help: "print the list as JSON in the last line")
  var json = false

  func run() throws {
    if let episodes, episodes < 1 {
      throw InputError("--episodes takes a whole number of at least 1, not '\(episodes)'")
    }
    var rows: [Row] = []
    var missing: [String] = []
    for type in Environments.all {
      do {
        try type.prepare()
        // Played only if flags are given or the return is not known.
        let known = episodes == nil && seed == nil ? Environments.randomReturns[type.id] : nil
        let environment = type.init()
        let random = known ?? environment.randomReturn(episodes: episodes ?? 10, seed: Seed(seed ?? 0))
        rows.append(Row(environment.spec, randomReturn: random))
      } catch { missing.append("\(type.id) is not available: \(error)") }
    }
    let header = ["environment", "actions", "episode", "repeat", "random return", "note"]
    for line in aligned([header] + rows.map(\.cells)) { try printLine(line) }
    for line in missing { try printLine(line) }
    try printLine(
      "also any Gymnasium environment, such as gym:CartPole-v1, gym:ALE/Pong-v5 or gym:my_module:MyEnv-v0")
    if let version = Environments.muJoCoVersion {
      try printLine("the tasks of the DeepMind Control suite use MuJoCo \(version)")
    }
    if json {
      let muJoCo = Environments.muJoCoVersion.map { JSON.string($0) } ?? .null
      try printLine(
        JSON.object([.init("environments", .array(rows.map(\.json))), .init("mujoco", muJoCo)]).description)
    }
  }
}

/// An environment in the list.
private struct Row {
  let cells: [String]
  let json: JSON

  init(_ spec: EnvironmentSpec, randomReturn random: Double) {
    cells = [
      spec.id, spec.actionSpace.description, "\(spec.episodeLength)", "\(spec.actionRepeat)", shortened(random),
      spec.note,
    ]
    json = [
      "environment": .string(spec.id), "actions": .string(spec.actionSpace.description),
      "episode_length": .integer(spec.episodeLength), "action_repeat": .integer(spec.actionRepeat),
      "random_return": .number(random), "note": .string(spec.note),
    ]
  }
}

/// Formats rows of cells as lines with aligned columns.
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
