import ArgumentParser
import Core
import Environments
import Runs
import Training

/// `pixelrl collect`
struct Collect: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Play an environment and write its frames, states and transitions as a dataset.")

  @Option(help: ArgumentHelp("the environment; 'pixelrl envs' lists them", valueName: "env"))
  var env = CartPoleSwingup.id

  @Option(
    help: ArgumentHelp("act as the agent of a finished 'pixelrl train', not at random", valueName: "folder"))
  var policyRun: String?

  @Option(
    help: ArgumentHelp("the folder to write, which must be new (default: one under datasets/)", valueName: "folder"))
  var out: String?

  @Option(
    help: ArgumentHelp("settings by group, such as the settings.json of a run; flags win over it", valueName: "file"))
  var config: String?

  @Option(parsing: .unconditional, help: ArgumentHelp("the number that all randomness comes from", valueName: "n"))
  var seed: UInt64 = 0

  @Flag(help: "end with one JSON object on a line of its own")
  var json = false

  @OptionGroup(title: "Environment settings") var episode: SettingsOptions<EpisodeSource>
  @OptionGroup(title: "Collection settings") var collection: SettingsOptions<CollectionSource>

  func run() throws { try collect(try Environments.named(env)) }

  private func collect<E: Environment>(_ environment: E.Type) throws {
    let resolver = try SettingsResolver(config: config, titles: ["environment", "collection"])
    let episode = try resolver.resolve("environment", EpisodeSettings.self, episode, of: E.id)
    let settings = try resolver.resolve("collection", CollectionSettings.self, collection, of: "collection")
    try settings.check(E.self, episode)

    let policy = try policyRun.map { try SavedAgent(path: $0).policy(in: E.self, episode) }

    // Opened first: a folder that cannot be written is known before the work is done.
    let name = policy == nil ? settings.policy.rawValue : "trained"
    let path = out ?? "datasets/\(E.id)-\(name)-s\(seed)"
    let writer = try FrameDatasetWriter(
      path: path,
      manifest: FrameDatasetManifest(environment: E.id, settings: episode, seed: Seed(seed), policy: name),
      frame: Episode<E>(episode, seed: Seed(seed)).blankFrame, stateSize: E.observationNames.count,
      actionSize: E.actionSpace.arrayCount)

    var progress = Progress("collect", total: settings.steps)
    let source = Seed(seed).child("collection")
    let recording: Recording
    if var policy {
      recording = try Training.collect(E.self, episode, settings, by: &policy, seed: source) { progress.update($0) }
    } else {
      recording = try Training.collect(E.self, episode, settings, seed: source) { progress.update($0) }
    }
    progress.finish()
    try recording.write(with: writer, actionSpace: E.actionSpace)
    let episodes = (recording.episodes.last ?? 0) + 1
    let meanReturn = recording.steps.reduce(0) { $0 + ($1?.reward ?? 0) } / Double(episodes)
    try printLine(
      "\(recording.count) frames of \(episodes) episodes, mean return \(shortened(meanReturn)): \(path)")
    if json {
      let summary: JSON = [
        "dataset": .string(path), "environment": .string(E.id), "policy": .string(name),
        "frames": .integer(recording.count), "episodes": .integer(episodes), "return_mean": .number(meanReturn),
        "env_steps": .integer(recording.environmentSteps), "seed": .string(String(seed)),
      ]
      try printLine(summary.description)
    }
  }
}
