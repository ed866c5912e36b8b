import ArgumentParser
import Core
import Environments
import Formats

/// `pixelrl rollout`
struct Rollout: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Play given actions and print the state, reward and ending after each step, one JSON line per step.")

  @Argument(help: ArgumentHelp("the environment; 'pixelrl envs' lists them", valueName: "env"))
  var environment: String

  @Option(
    help: ArgumentHelp("a JSON array of action arrays, one per simulator step", valueName: "file"), completion: .file())
  var actions: String

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp(
      "the start state, such as 0,3.14,0,0 or a JSON array: positions, then velocities", valueName: "numbers"))
  var state: String?

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp("the seed of the start state if --state is not given (default: 0)", valueName: "n"),
    transform: wholeNumber)
  var seed: UInt64 = 0

  func run() throws {
    let environment = try Environments.named(environment)
    let start = try state.map(startState)
    let list = try actionArrays(in: actions)
    for line in try environment.rollout(from: start, actions: list, seed: Seed(seed)) { try printLine(line.json) }
  }
}

/// Parses the value of --state: '0,3.14,0,0' or '[0, 3.14, 0, 0]'.
func startState(_ typed: String) throws -> [Double] {
  let json: JSON
  do { json = try JSON(parsing: typed.hasPrefix("[") ? typed : "[\(typed)]") } catch is InputError {
    throw InputError("--state takes numbers, such as 0,3.14,0,0, not '\(typed)'")
  }
  return try numbers(json, of: "--state")
}
