import ArgumentParser
import Core
import Environments
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
}
