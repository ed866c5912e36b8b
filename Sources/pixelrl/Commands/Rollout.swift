import ArgumentParser
import Core
import Environments

/// `pixelrl rollout`
struct Rollout: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Play given actions and print the state, reward and ending after each, a JSON line a step.")

  @Argument(help: ArgumentHelp("the environment; 'pixelrl envs' lists them", valueName: "env"))
  var environment: String

  @Option(help: ArgumentHelp("a JSON array of action arrays, one a simulator step", valueName: "file"))
  var actions: String

  @Option(help: ArgumentHelp("start from this JSON array: positions, then velocities", valueName: "numbers"))
  var state: String?

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp("the number that a start state is drawn from where none is given", valueName: "n"))
  var seed: UInt64 = 0

  func run() throws {
    let type = try Environments.named(environment)
    let start = try state.map { try numbers(JSON(parsing: $0), of: "--state") }
    let list = try actionArrays(in: actions)
    for line in try type.rollout(from: start, actions: list, seed: Seed(seed)) { try printLine(line.json) }
  }
}
