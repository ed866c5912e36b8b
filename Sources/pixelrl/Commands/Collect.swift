import ArgumentParser
import Core
import Environments
import Formats
import Representations
import Runs
import Training

/// `pixelrl collect`
struct Collect: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Play an environment and write its frames, states and transitions as a dataset.")

  @OptionGroup var output: OutputOptions
  @OptionGroup var settings: CollectionFlags

  func run() throws {
    Interruption.listen()
    let plan = try settings.plan()
    try collect(plan.played, plan)
  }

  private func collect(_ environment: some Environment, _ plan: CollectionPlan) throws {
    let (episode, settings, seed) = (plan.episode, plan.collection, Seed(plan.seed.seed))
    let spec = environment.spec
    try environment.checkRendering()
    try settings.check(environment, episode)
    let policy = plan.policy.run.isEmpty ? nil : try SavedAgent(path: plan.policy.run).policy(in: environment, episode)

    // Opened before the work starts, so that a folder that cannot be written is reported at once.
    let name = policy == nil ? settings.policy.rawValue : "trained"
    let path = output.out ?? "datasets/\(fileName(of: spec.id))-\(name)-s\(seed.value)"
    let writer = try FrameDatasetWriter(
      path: path, manifest: FrameDatasetManifest(environment: spec.id, settings: episode, seed: seed, policy: name),
      frame: episode.blankFrame, stateSize: spec.observationNames.count,
      actionSize: spec.actionSpace.arrayCount)

    var progress = Progress("collect", total: settings.steps)
    let source = seed.child("collection")
    let recording: Recording
    if let policy {
      recording = try Training.collect(environment, episode, settings, by: policy, seed: source) { progress.update($0) }
    } else {
      recording = try Training.collect(environment, episode, settings, seed: source) { progress.update($0) }
    }
    progress.finish()
    try recording.write(with: writer)
    let episodes = (recording.episodes.last ?? 0) + 1
    let meanReturn = recording.steps.reduce(0) { $0 + ($1?.reward ?? 0) } / Double(episodes)
    try printLine(
      "\(recording.count) frames of \(episodes) episodes, mean return \(shortened(meanReturn)): \(path)")
    if output.json {
      let summary: JSON = [
        "dataset": .string(path), "environment": .string(spec.id), "policy": .string(name),
        "frames": .integer(recording.count), "episodes": .integer(episodes), "return_mean": .number(meanReturn),
        "env_steps": .integer(recording.environmentSteps), "seed": JSON(whole: seed.value),
      ]
      try printLine(summary.description)
    }
  }
}
