import ArgumentParser
import Core
import Sweeps

/// `pixelrl sweep plan`
struct PlanSweep: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "plan", abstract: "Write the points of a sweep: environments, arms and seeds.",
    discussion: """
      The plan is a YAML file with the flags of 'pixelrl train', without their dashes:

        title: two learning rates
        environments: [catch]
        seeds: 0-4
        settings: {observe: state, env-steps: 8000}
        vary: {learning-rate: [0.001, 0.0003]}

      Planning an existing sweep again keeps the points whose settings did not change, and their results.
      """)

  @Argument(help: ArgumentHelp("the plan, a YAML file", valueName: "file"), completion: .file())
  var file: String

  @Option(
    help: ArgumentHelp("the sweep's folder, which is new, empty, or a sweep", valueName: "folder"),
    completion: .directory)
  var out: String

  func run() throws {
    let plan = try PlanFile(path: file)
    let settings = PointSettings()
    let planned: SweepFolder.Planned
    do {
      planned = try SweepFolder.plan(plan, at: out, keys: PointFlags.all, resolve: settings.resolve)
    } catch let error as InputError { throw InputError("\(file): \(error)") }
    let points = planned.folder.points
    let shared = points.count { $0.command != .train }
    try printLine(
      "\(counted(points.count, "point"))\(shared > 0 ? ", \(shared) of them shared" : ""); \(planned.added) new, "
        + "\(points.count - planned.added) kept, \(planned.dropped) dropped: \(out)")
    try printLine(
      "next: pixelrl sweep run \(shellQuoted(out)) --jobs 2, or pixelrl sweep emit slurm \(shellQuoted(out))")
  }
}
