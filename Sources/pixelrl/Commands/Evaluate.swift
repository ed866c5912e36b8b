import ArgumentParser
import Core
import Reports
import Runs
import Training

/// `pixelrl eval`
struct Evaluate: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "eval", abstract: "Play a trained agent: its returns with deterministic and with sampled actions.")

  @Argument(help: ArgumentHelp("a run of 'pixelrl train'", valueName: "run"), completion: .directory)
  var path: String

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp("episodes of each way to act (default: as many as the run's own evaluations)", valueName: "n"),
    transform: wholeNumber)
  var episodes: Int?

  @Flag(help: "film the first episode of each, and what is drawn of it, as an animated PNG")
  var video = false

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp(
      "where start states and sampled actions come from (default: the run's own, with its evaluations' start states)",
      valueName: "n"), transform: wholeNumber)
  var seed: UInt64?

  @Option(
    help: ArgumentHelp(
      "the folder to write, which must be new or empty (default: one in the run's)", valueName: "folder"),
    completion: .directory)
  var out: String?

  @Flag(help: "end with one JSON object on a line of its own")
  var json = false

  func run() throws {
    if let episodes, !(1...100_000).contains(episodes) {
      throw InputError("--episodes takes a whole number from 1 to 100000, not '\(episodes)'")
    }
    let saved = try SavedAgent(path: path)
    let count = episodes ?? saved.training.evaluationEpisodes
    // Made first: a folder that cannot be written is known before the work is done.
    let own = saved.run.file("evaluations")
    if out == nil { try makeOwnFolder(own) }
    let new = try NewFolder(at: out ?? unusedPath("\(own)/\(timestamp())"))
    try printLine(
      "\(saved.facts.member) of \(saved.run.path) at step \(saved.step)\(saved.run.isFinished ? "" : ", the last evaluation of a run that has not ended"): \(count) episodes of \(saved.facts.environment)"
    )
    let seed = Seed(seed ?? saved.facts.seed)
    let bootstrap = Bootstrap(resamples: 10_000, seed: seed)
    let report = try EvaluationReport(of: saved, episodes: count, seed: seed, isFilmed: video) { returns in
      bootstrap.estimate([returns]) { $0[0].reduce(0, +) / Double(count) }.interval
    }
    try report.write(to: new.path)
    try new.commit()
    let folder = new.place
    for line in table(report) { try printLine(line) }
    try printLine("numbers: \(folder)/evaluation.json")
    if video { try printLine("videos: \(EvaluationReport.films.map { "\(folder)/\($0)" }.joined(separator: ", "))") }
    if json { try printLine(report.json.description) }
  }

  private func table(_ report: EvaluationReport) -> [String] {
    let header = ["actions", "mean", "deviation", "95 % interval", "least", "greatest", "steps"]
    let rows = report.modes.map { mode in
      let returns = mode.evaluation.returns
      return [
        mode.name, shortened(mode.evaluation.mean), shortened(mode.evaluation.deviation),
        "\(shortened(mode.interval.lowerBound)) to \(shortened(mode.interval.upperBound))",
        shortened(returns.min() ?? .nan), shortened(returns.max() ?? .nan), shortened(mode.meanLength),
      ]
    }
    return aligned([header] + rows)
  }
}
