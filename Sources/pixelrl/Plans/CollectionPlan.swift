import ArgumentParser
import Core
import Environments
import Formats
import Representations
import Runs
import Training

/// The settings of `pixelrl collect`, as flags.
struct CollectionFlags: ParsableArguments {
  @OptionGroup var source: ConfigOptions
  @OptionGroup(title: "Environment settings") var environment: SettingsOptions<EnvironmentSource>
  @OptionGroup(title: "Collection settings") var collection: SettingsOptions<DatasetSource>

  /// Resolves the defaults, the file and the flags.
  func plan() throws -> CollectionPlan {
    var given = try GivenSettings(config: source.config, environment.typed, collection.typed)
    // A policy plays the environment that it was trained in, unless another is given.
    let policy: PolicyChoice = try given.resolve()
    if !policy.run.isEmpty, !given.isGiven(\EnvironmentChoice.env) {
      given.type("env", try RunDirectory(existing: policy.run).facts().environment)
    }
    let environment = try given.environment()
    let choice = try given.resolve(EnvironmentChoice())
    let plan = CollectionPlan(
      played: environment, environment: choice,
      episode: try given.resolve(environment.spec.episodeDefaults),
      seed: try given.resolve(), policy: policy, collection: try given.resolve())
    try given.check(plan.groups)
    return plan
  }
}

/// The resolved settings of a collection.
struct CollectionPlan: Plan {
  /// The environment that `environment` names.
  let played: any Environment
  let environment: EnvironmentChoice
  let episode: EpisodeSettings
  let seed: SeedChoice<CollectionSettings>
  let policy: PolicyChoice
  let collection: CollectionSettings

  var groups: [any SettingsGroup] { [environment, episode, seed, policy, collection] }

  /// Collects the dataset and writes it.
  func run(_ output: OutputOptions) throws {
    Interruption.listen()
    try collect(played, output)
  }

  private func collect(_ environment: some Environment, _ output: OutputOptions) throws {
    let (episode, settings, seed) = (self.episode, collection, Seed(self.seed.seed))
    let spec = environment.spec
    try environment.checkRendering()
    try environment.checkDistractions(episode)
    try settings.check(environment, episode)
    let policy = self.policy.run.isEmpty ? nil : try SavedAgent(path: self.policy.run).policy(in: environment, episode)

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
