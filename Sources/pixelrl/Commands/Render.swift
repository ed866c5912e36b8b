import ArgumentParser
import Core
import Environments
import Formats
import Pixels
import Runs

/// `pixelrl render`
struct Render: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Play an environment at random and write the frames as PNGs and as an animated PNG.")

  @Argument(help: ArgumentHelp("the environment; 'pixelrl envs' lists them", valueName: "env"))
  var environment: String

  @Option(
    parsing: .unconditional, help: ArgumentHelp("frames to write (default: 100)", valueName: "n"),
    transform: wholeNumber)
  var frames: Int = 100

  @Option(
    parsing: .unconditional, help: ArgumentHelp("the seed of start states and actions (default: 0)", valueName: "n"),
    transform: wholeNumber)
  var seed: UInt64 = 0

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp(
      "the start state, such as 0,3.14,0,0 or a JSON array: positions, then velocities", valueName: "numbers"))
  var state: String?

  @OptionGroup var output: OutputOptions
  @OptionGroup var source: ConfigOptions

  @OptionGroup(title: "Environment settings")
  var episode: SettingsOptions<EpisodeSource>

  func run() throws {
    guard frames > 0 else { throw InputError("--frames takes a whole number of at least 1, not '\(frames)'") }
    var given = try GivenSettings(config: source.config, episode.typed)
    let environment = try given.environment(environment)
    let settings: EpisodeSettings = try given.resolve(environment.spec.episodeDefaults)
    try given.check([EnvironmentChoice(), settings])
    try write(environment, settings, from: try state.map(startState))
  }

  private func write(
    _ environment: some Environment, _ settings: EpisodeSettings, from start: [Double]?
  ) throws {
    let spec = environment.spec
    if let start {
      do { try environment.validate(state: start) } catch { throw InputError("--state: \(error)") }
    }
    try environment.checkRendering()
    try environment.checkDistractions(settings)
    let openGL = try environment.openGLDriver(for: settings.style)
    let new = try NewFolder(at: output.out ?? unusedPath("runs/\(timestamp())-render-\(fileName(of: spec.id))"))
    var random = Seed(seed).stream("policy")
    var game = try Episode(environment, settings, seed: Seed(seed))
    if let start { game.reset(to: start) }
    var frame = game.blankFrame
    var animation = try AnimatedPNG(
      path: "\(new.path)/episode.png", framesPerSecond: 25, text: ["environment": spec.id])
    for index in 0..<frames {
      if index > 0 {
        if game.ending == .running {
          _ = try game.step(spec.actionSpace.sample(using: &random))
        } else {
          try game.reset()
        }
      }
      try game.render(into: &frame)
      let number = String(index)
      let name = "frame-\(String(repeating: "0", count: max(0, 5 - number.count)) + number).png"
      try PNG.write(
        frame, to: "\(new.path)/\(name)", text: ["environment": spec.id, "step": "\(game.steps)", "seed": "\(seed)"])
      try animation.append(frame)
    }
    try animation.finish()
    try new.commit()
    let (folder, video) = (new.place, "\(new.place)/episode.png")
    try printLine("\(frames) frames of \(spec.id), also as an animated PNG: \(video)")
    if let openGL { try printLine("rendered by MuJoCo with \(openGL)") }
    if output.json {
      try printLine(JSON.object([.init("run", .string(folder)), .init("video", .string(video))]).description)
    }
  }
}
