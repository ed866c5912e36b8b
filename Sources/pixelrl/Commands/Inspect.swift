import ArgumentParser
import Core
import Runs
import Training

/// `pixelrl inspect`
struct Inspect: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Inspect a run: reconstructions, latent traversals, state probe, latents and values, as images and JSON.")

  @Argument(
    help: ArgumentHelp("a run of 'pixelrl pretrain-ae' or 'pixelrl train'", valueName: "run"), completion: .runs)
  var path: String

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp(
      "frames of each kind: chosen, random and worst (default: \(Inspection.Options().frames))", valueName: "n"),
    transform: wholeNumber)
  var frames = Inspection.Options().frames

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp("the chosen frames' indices, such as 0,100,250 (default: evenly spaced)", valueName: "i,…"))
  var steps: String?

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp("episodes that the agent plays (default: \(Inspection.Options().episodes))", valueName: "n"),
    transform: wholeNumber)
  var episodes = Inspection.Options().episodes

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp("the seed of random frames and start states (default: the run's seed)", valueName: "n"),
    transform: wholeNumber)
  var seed: UInt64?

  @Flag(help: "print the results as JSON in the last line")
  var json = false

  func run() throws {
    var options = Inspection.Options()
    guard (1...100).contains(frames) else {
      throw InputError("--frames takes a whole number from 1 to 100, not '\(frames)'")
    }
    guard (1...1000).contains(episodes) else {
      throw InputError("--episodes takes a whole number from 1 to 1000, not '\(episodes)'")
    }
    (options.frames, options.episodes, options.seed) = (frames, episodes, seed.map(Seed.init))
    options.steps = try steps.map { text in
      try text.split(separator: ",", omittingEmptySubsequences: false).map { word in
        guard let step = Int(text: word.filter { $0 != " " }) else {
          throw InputError("--steps takes whole numbers with commas, such as 0,100,250, not '\(text)'")
        }
        return step
      }
    }
    let inspection = try Inspection(of: path, options)
    let folder = try inspection.write()
    for note in inspection.notes { try printLine(note) }
    let rows = inspection.pictures.map { ["\(folder)/\($0.file)", $0.title] }
    for line in aligned(rows) { try printLine(line) }
    try printLine("results: \(folder)/inspection.json")
    if json { try printLine(inspection.json.description) }
  }
}
