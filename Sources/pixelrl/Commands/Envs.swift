import ArgumentParser
import Core
import Environments

/// `pixelrl envs`
struct Envs: ParsableCommand {
  static let configuration = CommandConfiguration(abstract: "List the environments.")

  @Option(help: ArgumentHelp("episodes that the random policy plays of each", valueName: "n"))
  var episodes: Int = 10

  @Option(help: "the number that the randomness comes from")
  var seed: UInt64 = 0

  func run() throws {
    guard episodes > 0 else { throw InputError("--episodes takes a whole number of at least 1, not '\(episodes)'") }
    let table = Environments.all.map { cells(of: $0) }
    let header = ["environment", "actions", "episode", "repeat", "random return", "note"]
    for line in aligned([header] + table) { try printLine(line) }
  }

  private func cells<E: Environment>(of environment: E.Type) -> [String] {
    let random = E.randomReturn(episodes: episodes, seed: Seed(seed))
    let tenths = (random * 10).rounded() / 10
    return [E.id, E.actionSpace.description, "\(E.episodeLength)", "\(E.actionRepeat)", "\(tenths)", E.note]
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
