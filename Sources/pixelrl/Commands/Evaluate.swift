import ArgumentParser
import Core
import Reports
import Runs
import Training

/// `pixelrl eval`
struct Evaluate: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "eval", abstract: "Evaluate a trained agent with deterministic and with sampled actions.")

  @Argument(help: ArgumentHelp("a run of 'pixelrl train'", valueName: "run"), completion: .runs)
  var path: String

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp(
      "episodes with each kind of actions (default: as many as in the run's evaluations)", valueName: "n"),
    transform: wholeNumber)
  var episodes: Int?

  @Flag(help: "write an animated PNG of the first episode of each kind, with reconstructions if there are any")
  var video = false

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp(
      "the seed of start states and sampled actions (default: the run's seed, with the start states of its evaluations)",
      valueName: "n"), transform: wholeNumber)
  var seed: UInt64?

  @Option(
    help: ArgumentHelp(
      "the folder to write, which must be new or empty (default: a new one in the run directory)", valueName: "folder"),
    completion: .directory)
  var out: String?

  @Flag(help: "print the results as JSON in the last line")
  var json = false

  func run() throws {
    if let episodes, !(1...100_000).contains(episodes) {
      throw InputError("--episodes takes a whole number from 1 to 100000, not '\(episodes)'")
    }
    let saved = try SavedAgent(path: path)
    let count = episodes ?? saved.training.evaluationEpisodes
    // Created before the work starts, so that a folder that cannot be written is reported at once.
    let own = saved.run.file("evaluations")
    if out == nil { try makeOwnFolder(own) }
    let new = try NewFolder(at: out ?? unusedPath("\(own)/\(timestamp())"))
    try printLine(
      "\(saved.facts.member) of \(saved.run.path) at step \(saved.step)\(saved.run.isFinished ? "" : ", the last evaluation of an unfinished run"): \(counted(count, "episode")) of \(saved.facts.environment)"
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
    try printLine("results: \(folder)/evaluation.json")
    if video { try printLine("videos: \(EvaluationReport.films.map { "\(folder)/\($0)" }.joined(separator: ", "))") }
    if json { try printLine(report.json.description) }
  }

  private func table(_ report: EvaluationReport) -> [String] {
    let header = ["actions", "mean", "deviation", "95 % interval", "min", "max", "steps"]
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
