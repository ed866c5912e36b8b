import ArgumentParser
import Core
import Environments
import Formats
import Pixels
import Runs

/// `pixelrl render`
struct Render: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Play an episode at random and write its frames as PNGs and an animated PNG.")

  @Argument(help: ArgumentHelp("the environment; 'pixelrl envs' lists them", valueName: "env"))
  var environment: String

  @Option(parsing: .unconditional, help: ArgumentHelp("frames to write", valueName: "n"), transform: wholeNumber)
  var frames: Int = 100

  @Option(
    parsing: .unconditional, help: ArgumentHelp("the number that all randomness comes from", valueName: "n"),
    transform: wholeNumber)
  var seed: UInt64 = 0

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp(
      "start from these numbers, as 0,3.14,0,0 or a JSON array: positions, then velocities", valueName: "numbers"))
  var state: String?

  @OptionGroup var output: OutputOptions
  @OptionGroup var source: ConfigOptions

  @OptionGroup(title: "Environment settings")
  var episode: SettingsOptions<EpisodeSource>

  func run() throws {
    guard frames > 0 else { throw InputError("--frames takes a whole number of at least 1, not '\(frames)'") }
    var given = try GivenSettings(config: source.config, episode.typed)
    let type = try given.environment(environment)
    let settings: EpisodeSettings = try given.resolve(type.episodeDefaults)
    try given.check([EnvironmentChoice(), settings])
    try write(type, settings, from: try state.map(startState))
  }

  private func write<E: Environment>(_ type: E.Type, _ settings: EpisodeSettings, from start: [Double]?) throws {
    if let start, let complaint = E.complaint(about: start) { throw InputError("--state: \(complaint)") }
    try E.checkPictures()
    let openGL = try E.drawer(of: settings.look)
    let new = try NewFolder(at: output.out ?? unusedPath("runs/\(timestamp())-render-\(fileName(of: E.id))"))
    var random = Seed(seed).stream("policy")
    var game = Episode<E>(settings, seed: Seed(seed))
    if let start { game.reset(to: start) }
    var frame = game.blankFrame
    var animation = try AnimatedPNG(
      path: "\(new.path)/episode.png", framesPerSecond: 25, text: ["environment": E.id])
    for index in 0..<frames {
      if game.ending != .running { game.reset() }
      game.render(into: &frame)
      let number = String(index)
      let name = "frame-\(String(repeating: "0", count: max(0, 5 - number.count)) + number).png"
      try PNG.write(
        frame, to: "\(new.path)/\(name)", text: ["environment": E.id, "step": "\(game.steps)", "seed": "\(seed)"])
      try animation.append(frame)
      _ = game.step(E.actionSpace.sample(using: &random))
      try E.check()
    }
    try animation.finish()
    try new.commit()
    let (folder, video) = (new.place, "\(new.place)/episode.png")
    try printLine("\(frames) frames of \(E.id), and as an animation: \(video)")
    if let openGL { try printLine("drawn by MuJoCo with \(openGL)") }
    if output.json {
      try printLine(JSON.object([.init("run", .string(folder)), .init("video", .string(video))]).description)
    }
  }
}
