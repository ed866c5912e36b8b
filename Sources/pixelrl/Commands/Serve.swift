import ArgumentParser
import Core
import Environments
import Formats
import Foundation
import Pixels
import Training

/// `pixelrl serve`
struct Serve: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Run an environment or a trained agent for another program over standard input and output.",
    discussion: """
      For an environment, which 'pixelrl gymnasium' uses: first prints a line of JSON that describes the environment. Then each line of standard input is a request: \
      {"op": "reset", "seed": 1}, {"op": "step", "action": [0.5]} or {"op": "frame"}. Add "frame": true to receive a \
      frame. Each answer is a line of JSON; "bytes" is the number of bytes of the frame that follow it. The program \
      exits at the end of standard input.

      With --autoencoder, "latent" in each answer is what an agent observes through the autoencoder: the last latents, \
      their differences and the last actions.

      With --policy, a trained agent acts on what the other program observes. Requests are {"op": "act", "bytes": N}, \
      followed by the N bytes of a frame, rows of RGB or gray values, or {"op": "act", "state": [0.1, 2]} for an agent \
      that observes the state. The answer is {"action": [0.5]}. {"op": "begin"} begins an episode: the agent forgets \
      what it has observed.
      """)

  @Argument(help: ArgumentHelp("the environment; 'pixelrl envs' lists them", valueName: "env"))
  var environment = CartPoleSwingup.id

  @Option(
    help: ArgumentHelp("serve the agent of a run of 'pixelrl train' instead", valueName: "run"), completion: .runs)
  var policy: String?

  @Flag(help: "print the names of all environments that can be served, and exit")
  var list = false

  @Option(
    help: ArgumentHelp(
      "answer with latents of this autoencoder: a run of 'pixelrl pretrain-ae', whose frames set the defaults below",
      valueName: "folder"), completion: .runs)
  var autoencoder: String?

  @Option(help: "latents in an observation, as in 'pixelrl train'")
  var historyFrames = TrainingSettings().frames

  @Option(help: "past actions in an observation, as in 'pixelrl train'")
  var historyActions = TrainingSettings().actions

  @Option(help: "factor on the differences of latents, as in 'pixelrl train'")
  var differenceScale = TrainingSettings().differenceScale

  @OptionGroup(title: "Environment settings")
  var episode: SettingsOptions<EpisodeSource>

  func run() throws {
    if list {
      for type in Environments.all where (try? type.prepare()) != nil { try printLine(type.id) }
      return
    }
    if let policy {
      guard episode.typed.isEmpty, autoencoder == nil else {
        throw InputError("--policy uses the settings of its run: leave out all other flags")
      }
      var server = PolicyServer(try ServedPolicy(try SavedAgent(path: policy)))
      return try server.run()
    }
    let given = try GivenSettings(config: nil, episode.typed)
    let timeout = try given.resolve(EpisodeSettings()).gymTimeout
    let environment = try Environments.named(environment, timeout: timeout)
    try given.checkFlags(for: environment.spec.id)
    var defaults = environment.spec.episodeDefaults
    if let autoencoder { defaults = try AutoencoderRecord(folder: autoencoder).applied(to: defaults) }
    let settings: EpisodeSettings = try given.resolve(defaults)
    try environment.checkDistractions(settings)
    var server = try server(of: environment, settings)
    try server.begin()
    while let line = readLine() { try server.answer(line) }
  }

  private func server(of environment: some Environment, _ settings: EpisodeSettings) throws -> any EpisodeServer {
    try ServedEpisode(environment, settings, try latents(of: environment.spec, settings))
  }

  private func latents(of spec: EnvironmentSpec, _ settings: EpisodeSettings) throws -> LatentObservation? {
    guard let autoencoder else { return nil }
    var training = TrainingSettings()
    try training.set("history-frames", to: String(historyFrames))
    try training.set("history-actions", to: String(historyActions))
    try training.set("difference-scale", to: String(differenceScale))
    return try LatentObservation(autoencoder: autoencoder, of: spec, settings, training)
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
  /// Nil without an autoencoder.
  private var latents: LatentObservation?
  private var latent: [Float] = []

  init(_ environment: E, _ settings: EpisodeSettings, _ latents: LatentObservation?) throws {
    self.latents = latents
    self.environment = environment
    self.settings = settings
    episode = try Episode(environment, settings, seed: Seed(0))
    frame = episode.blankFrame
    // The first episode runs already: another program may step before it resets.
    latent = try self.latents?.begin(episode) ?? []
  }

  func begin() throws {
    let spec = episode.spec
    var facts: [JSON.Member] = [
      .init("environment", .string(spec.id)), .init("observation", .array(spec.observationNames.map(JSON.string))),
      .init("height", .integer(frame.height)), .init("width", .integer(frame.width)),
      .init("channels", .integer(frame.channels)),
    ]
    if let latents { facts.append(.init("latent", .integer(latents.size))) }
    try printLine(JSON.object(facts + spec.actionSpace.members).description)
  }

  mutating func answer(_ line: String) throws {
    do {
      let request = try JSON(parsing: Array(line.utf8))
      let step = try perform(request)
      let bytes = request["frame"]?.bool == true ? frame.bytes.count : 0
      var answer: [JSON.Member] = [
        .init("reward", .number(step.reward)), .init("ending", .string(episode.ending.rawValue)),
        .init("steps", .integer(episode.steps)),
        .init("observation", .array(try episode.observation.map(JSON.number))), .init("bytes", .integer(bytes)),
      ]
      if latents != nil { answer.append(.init("latent", .array(latent.map { .number(Double($0)) }))) }
      try printLine(JSON.object(answer).description)
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
        throw InputError("\"seed\" takes a whole number from 0 to \(Int.max)")
      }
      episode = try Episode(environment, settings, seed: Seed(UInt64(seed)))
      latent = try latents?.begin(episode) ?? []
      return Step(reward: 0)
    case "step":
      let action = try numbers(request["action"] ?? .null, of: "\"action\"")
      try episode.spec.actionSpace.validate(action)
      guard episode.ending == .running else {
        throw InputError("the episode has \(episode.ending.rawValue): reset before the next step")
      }
      let step = try episode.step(action)
      latent = try latents?.append(action, episode) ?? []
      return step
    case "frame": return Step(reward: 0)
    default: throw InputError("\"op\" takes \"reset\", \"step\" or \"frame\"")
    }
  }
}
