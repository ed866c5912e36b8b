import ArgumentParser
import Core
import Environments
import Formats
import Foundation
import Pixels

/// `pixelrl serve`
struct Serve: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Play an environment for another program, which asks on standard input: see 'pixelrl gymnasium'.",
    discussion: """
      Begins with a line of JSON that says what the environment is. Then each line of standard input is a request, \
      {"op": "reset", "seed": 1}, {"op": "step", "action": [0.5]} or {"op": "frame"}, with "frame": true where a picture \
      is wanted; each answer is a line of JSON, followed by as many bytes of the picture as it says. Ends with standard \
      input.
      """)

  @Argument(help: ArgumentHelp("the environment; 'pixelrl envs' lists them", valueName: "env"))
  var environment = CartPoleSwingup.id

  @Flag(help: "print the names of all environments that can be served, and end")
  var list = false

  @OptionGroup(title: "Environment settings")
  var episode: SettingsOptions<EpisodeSource>

  func run() throws {
    if list {
      for type in Environments.all where (try? type.prepare()) != nil { try printLine(type.id) }
      return
    }
    let given = try GivenSettings(config: nil, episode.typed)
    let type = try Environments.named(environment, timeout: given.resolve(EpisodeSettings()).gymTimeout)
    var server = try server(of: type, given.resolve(type.episodeDefaults))
    try server.begin()
    while let line = readLine() { try server.answer(line) }
  }

  private func server(of type: any Environment.Type, _ settings: EpisodeSettings) throws -> any EpisodeServer {
    func open<E: Environment>(_ type: E.Type) -> any EpisodeServer { ServedEpisode<E>(settings) }
    return open(type)
  }
}

/// Answers requests, a line each.
private protocol EpisodeServer {
  func begin() throws
  mutating func answer(_ request: String) throws
}

/// An episode that another program plays.
private struct ServedEpisode<E: Environment>: EpisodeServer {
  private let settings: EpisodeSettings
  private var episode: Episode<E>
  private var frame: PixelBuffer

  init(_ settings: EpisodeSettings) {
    self.settings = settings
    episode = Episode(settings, seed: Seed(0))
    frame = episode.blankFrame
  }

  func begin() throws {
    var facts: [JSON.Member] = [
      .init("environment", .string(E.id)), .init("observation", .array(E.observationNames.map(JSON.string))),
      .init("height", .integer(frame.height)), .init("width", .integer(frame.width)),
      .init("channels", .integer(frame.channels)),
    ]
    switch E.actionSpace {
    case .continuous(let low, let high):
      facts += [.init("low", .array(low.map(JSON.number))), .init("high", .array(high.map(JSON.number)))]
    case .discrete(let count): facts.append(.init("count", .integer(count)))
    }
    try printLine(JSON.object(facts).description)
  }

  mutating func answer(_ line: String) throws {
    do {
      let request = try JSON(parsing: Array(line.utf8))
      let step = try obey(request)
      try E.check()
      let bytes = request["frame"]?.bool == true ? frame.bytes.count : 0
      let answer: JSON = [
        "reward": .number(step.reward), "ending": .string(episode.ending.rawValue), "steps": .integer(episode.steps),
        "observation": .array(episode.observation.map(JSON.number)), "bytes": .integer(bytes),
      ]
      try printLine(answer.description)
      guard bytes > 0 else { return }
      episode.render(into: &frame)
      try StandardStreams.write(frame.bytes)
    } catch let error as InputError {
      // The other program's mistake: it may go on.
      try printLine(JSON.object([.init("error", .string(error.description))]).description)
    }
  }

  private mutating func obey(_ request: JSON) throws -> Step {
    switch request["op"]?.text {
    case "reset":
      guard let seed = request["seed"]?.int, seed >= 0 else {
        throw InputError("\"seed\" takes a whole number of at least 0")
      }
      episode = Episode(settings, seed: Seed(UInt64(seed)))
      return Step(reward: 0)
    case "step":
      let action = try numbers(request["action"] ?? .null, of: "\"action\"")
      if let complaint = E.actionSpace.complaint(about: action) { throw InputError(complaint) }
      guard episode.ending == .running else {
        throw InputError("the episode has \(episode.ending.rawValue): reset before the next step")
      }
      return episode.step(action)
    case "frame": return Step(reward: 0)
    default: throw InputError("\"op\" takes \"reset\", \"step\" or \"frame\"")
    }
  }
}
