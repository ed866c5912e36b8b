import ArgumentParser
import Core
import Environments
import Formats
import Foundation
import Pixels

/// `pixelrl serve`
struct Serve: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Run an environment for another program over standard input and output: see 'pixelrl gymnasium'.",
    discussion: """
      First prints a line of JSON that describes the environment. Then each line of standard input is a request: \
      {"op": "reset", "seed": 1}, {"op": "step", "action": [0.5]} or {"op": "frame"}. Add "frame": true to receive a \
      frame. Each answer is a line of JSON; "bytes" is the number of bytes of the frame that follow it. The program \
      exits at the end of standard input.
      """)

  @Argument(help: ArgumentHelp("the environment; 'pixelrl envs' lists them", valueName: "env"))
  var environment = CartPoleSwingup.id

  @Flag(help: "print the names of all environments that can be served, and exit")
  var list = false

  @OptionGroup(title: "Environment settings")
  var episode: SettingsOptions<EpisodeSource>

  func run() throws {
    if list {
      for type in Environments.all where (try? type.prepare()) != nil { try printLine(type.id) }
      return
    }
    let given = try GivenSettings(config: nil, episode.typed)
    let timeout = try given.resolve(EpisodeSettings()).gymTimeout
    let environment = try Environments.named(environment, timeout: timeout)
    try given.checkFlags(for: environment.spec.id)
    var server = try server(of: environment, given.resolve(environment.spec.episodeDefaults))
    try server.begin()
    while let line = readLine() { try server.answer(line) }
  }

  private func server(of environment: some Environment, _ settings: EpisodeSettings) throws -> any EpisodeServer {
    try ServedEpisode(environment, settings)
  }
}

/// Answers requests, one per line.
private protocol EpisodeServer {
  func begin() throws
  mutating func answer(_ request: String) throws
}

/// An episode that another program plays.
private struct ServedEpisode<E: Environment>: EpisodeServer {
  private let environment: E
  private let settings: EpisodeSettings
  private var episode: Episode<E>
  private var frame: PixelBuffer

  init(_ environment: E, _ settings: EpisodeSettings) throws {
    self.environment = environment
    self.settings = settings
    episode = try Episode(environment, settings, seed: Seed(0))
    frame = episode.blankFrame
  }

  func begin() throws {
    let spec = episode.spec
    var facts: [JSON.Member] = [
      .init("environment", .string(spec.id)), .init("observation", .array(spec.observationNames.map(JSON.string))),
      .init("height", .integer(frame.height)), .init("width", .integer(frame.width)),
      .init("channels", .integer(frame.channels)),
    ]
    switch spec.actionSpace {
    case .continuous(let low, let high):
      facts += [.init("low", .array(low.map(JSON.number))), .init("high", .array(high.map(JSON.number)))]
    case .discrete(let count): facts.append(.init("count", .integer(count)))
    }
    try printLine(JSON.object(facts).description)
  }

  mutating func answer(_ line: String) throws {
    do {
      let request = try JSON(parsing: Array(line.utf8))
      let step = try perform(request)
      let bytes = request["frame"]?.bool == true ? frame.bytes.count : 0
      let answer: JSON = [
        "reward": .number(step.reward), "ending": .string(episode.ending.rawValue), "steps": .integer(episode.steps),
        "observation": .array(try episode.observation.map(JSON.number)), "bytes": .integer(bytes),
      ]
      try printLine(answer.description)
      guard bytes > 0 else { return }
      try episode.render(into: &frame)
      try StandardStreams.write(frame.bytes)
    } catch let error as InputError {
      // The request is wrong: report it and wait for the next one.
      try printLine(JSON.object([.init("error", .string(error.description))]).description)
    }
  }

  private mutating func perform(_ request: JSON) throws -> Step {
    switch request["op"]?.text {
    case "reset":
      guard let seed = request["seed"]?.int, seed >= 0 else {
        throw InputError("\"seed\" takes a whole number of at least 0")
      }
      episode = try Episode(environment, settings, seed: Seed(UInt64(seed)))
      return Step(reward: 0)
    case "step":
      let action = try numbers(request["action"] ?? .null, of: "\"action\"")
      try episode.spec.actionSpace.validate(action)
      guard episode.ending == .running else {
        throw InputError("the episode has \(episode.ending.rawValue): reset before the next step")
      }
      return try episode.step(action)
    case "frame": return Step(reward: 0)
    default: throw InputError("\"op\" takes \"reset\", \"step\" or \"frame\"")
    }
  }
}
