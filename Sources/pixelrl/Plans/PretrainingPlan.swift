import ArgumentParser
import Autoencoders
import Core
import Environments
import Representations
import Runs
import Training

/// The settings of `pixelrl pretrain-ae`, as flags.
struct PretrainingFlags: ParsableArguments {
  @OptionGroup var source: ConfigOptions
  @OptionGroup(title: "Environment settings") var environment: SettingsOptions<EnvironmentSource>
  @OptionGroup(title: "Collection settings") var collection: SettingsOptions<CollectionSource>
  @OptionGroup(title: "Autoencoder settings") var encoder: SettingsOptions<AutoencoderSource>
  @OptionGroup(title: "Pretraining settings") var pretraining: SettingsOptions<PretrainingSource>
  @OptionGroup(title: "Machine settings") var machine: SettingsOptions<MachineSource>

  /// The flags' values, by key.
  var typed: [String: String] {
    GivenSettings.merged([environment.typed, collection.typed, encoder.typed, pretraining.typed, machine.typed])
  }

  /// Resolves the defaults, the file and the flags.
  ///
  /// - Parameters:
  ///   - run: the run whose settings file is used if `--config` is not given.
  ///   - keys: the flags that count; nil: all.
  func plan(of run: RunDirectory? = nil, only keys: Set<String>? = nil) throws -> any RunPlan {
    var given = try GivenSettings(
      config: source.config ?? run?.file(RunDirectory.settings), typed.filter { keys?.contains($0.key) ?? true })
    let environment = try given.environment()
    return try plan(given, environment, try Autoencoders.named(given.resolve(AutoencoderChoice()).kind))
  }

  private func plan<E: Environment, Model: Autoencoder>(
    _ given: GivenSettings, _ environment: E, _ kind: Model.Type
  ) throws -> any RunPlan {
    let plan = PretrainingPlan<E, Model>(
      environment: environment, episode: try given.resolve(environment.spec.episodeDefaults),
      collection: try given.resolve(), model: try given.resolve(), pretraining: try given.resolve(),
      dataset: try given.resolve(), seed: try given.resolve(), machine: try given.resolve(MachineSettings.byDefault))
    try given.check(plan.groups, member: (plan.model, "the autoencoder \(Model.id)"))
    return plan
  }
}

/// The resolved settings of a pretraining.
struct PretrainingPlan<E: Environment, Model: Autoencoder>: RunPlan {
  let environment: E
  let episode: EpisodeSettings
  let collection: CollectionSettings
  let model: Model.Settings
  let pretraining: PretrainingSettings
  let dataset: DatasetChoice
  let seed: SeedChoice<PretrainingSettings>
  let machine: MachineSettings

  var groups: [any SettingsGroup] {
    var (choice, kind) = (EnvironmentChoice(), AutoencoderChoice())
    (choice.env, kind.kind) = (environment.spec.id, Model.id)
    return [choice, episode, collection, kind, model, seed, dataset, pretraining, machine]
  }

  func run(_ options: RunOptions) throws {
    Interruption.listen()
    let run = try options.namedRun("pretrain-ae")
    machine.apply(resuming: try run?.facts())
    let frames = try frames(for: run)
    let work = PretrainingRun(
      environment, Model.self, episode: episode, collection: collection, pretraining: pretraining, model: model,
      seed: Seed(seed.seed), dataset: frames)
    try work.check()
    let directory = try options.directory(
      "pretrain-ae", environment: environment.spec.id, member: Model.id, seed: seed.seed,
      inputs: try frames.map { try [input($0)] } ?? [],
      settings: groups)
    let summary = try withRun(directory, options) { try work.run(in: directory, say: printProgress) }
    try printLine("autoencoder: \(directory.path)")
    try printLine("images: \(directory.file("reconstructions.png")), \(directory.file("worst.png"))")
    if options.output.json { try printLine(summary.description) }
  }

  /// The dataset to train on. A resumed run uses its recorded dataset, even if it has moved.
  private func frames(for run: RunDirectory?) throws -> FrameDataset? {
    guard !dataset.dataset.isEmpty else { return nil }
    let recorded = try run?.facts().inputs.first { $0.path == dataset.dataset }
    return try FrameDataset(path: recorded?.places.first ?? dataset.dataset)
  }

  private func input(_ frames: FrameDataset) throws -> RunDirectory.Input {
    .init(
      name: "dataset", path: dataset.dataset, absolutePath: try absolutePath(frames.path),
      fingerprint: frames.fingerprint)
  }
}
