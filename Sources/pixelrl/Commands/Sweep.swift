import ArgumentParser

/// `pixelrl sweep`
struct Sweep: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Plan many runs, and run them on this machine or on a cluster.",
    discussion: """
      The files of the sweep's folder are the only state, and the index of a point is the only argument of a worker:

        pixelrl sweep plan plan.yaml --out runs/mine
        pixelrl sweep run runs/mine --jobs 2
        pixelrl sweep status runs/mine
        pixelrl sweep table runs/mine
      """,
    subcommands: [
      PlanSweep.self, RunSweep.self, SweepStatus.self, RetrySweep.self, EmitSweep.self, TabulateSweep.self,
    ])
}

/// The folder of a sweep, as the argument of a command.
struct SweepArgument: ParsableArguments {
  @Argument(help: ArgumentHelp("the sweep's folder", valueName: "folder"), completion: .directory)
  var folder: String

  /// The folder without slashes at its end.
  var path: String {
    let trimmed = String(folder.reversed().drop { $0 == "/" }.reversed())
    return trimmed.isEmpty ? folder : trimmed
  }
}
