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
    if let dataset = try DatasetChoice.imported(given.resolve(), of: run) {
      try checkUnused(given, dataset)
      return try plan(given, dataset, try Autoencoders.named(given.resolve(AutoencoderChoice()).kind))
    }
    let environment = try given.environment()
    try run?.check(environment: environment.spec.id)
    return try plan(given, environment, try Autoencoders.named(given.resolve(AutoencoderChoice()).kind))
  }

  /// Checks that no flag is given that has no effect on imported pictures.
  private func checkUnused(_ given: GivenSettings, _ dataset: FrameDataset) throws {
    guard !given.isGiven(\EnvironmentChoice.env) else {
      throw InputError("\(dataset.path) has imported pictures, which need no environment: leave out --env")
    }
    let used = FrameStack.fields.map(\.key)
    let keys = (Array(environment.typed.keys) + collection.typed.keys).sorted()
    guard let key = keys.first(where: { given.isTyped($0) && !used.contains($0) }) else { return }
    let instead = ["size", "color"].contains(key) ? ", or give it to 'pixelrl import'" : ""
    throw InputError("--\(key) has no effect on the imported pictures of \(dataset.path): leave it out\(instead)")
  }

  private func plan<Model: Autoencoder>(
    _ given: GivenSettings, _ frames: FrameDataset, _ kind: Model.Type
  ) throws -> any RunPlan {
    let defaults = PretrainingSettings(for: frames)
    let plan = PretrainingPlan<ImportedFrames, Model>(
      origin: try ImportedFrames(frames, given.resolve()), choice: nil, model: try given.resolve(),
      pretraining: try given.resolve(defaults), dataset: try given.resolve(), seed: try given.resolve(),
      machine: try given.resolve(MachineSettings.byDefault))
    try given.check(plan.groups, member: (plan.model, "the autoencoder \(Model.id)"))
    return plan
  }

  private func plan<E: Environment, Model: Autoencoder>(
    _ given: GivenSettings, _ environment: E, _ kind: Model.Type
  ) throws -> any RunPlan {
    var choice = EnvironmentChoice()
    choice.env = environment.spec.id
    let plan = PretrainingPlan<PlayedFrames<E>, Model>(
      origin: PlayedFrames(of: environment, try given.resolve(environment.spec.episodeDefaults), try given.resolve()),
      choice: choice, model: try given.resolve(), pretraining: try given.resolve(), dataset: try given.resolve(),
      seed: try given.resolve(), machine: try given.resolve(MachineSettings.byDefault))
    try given.check(plan.groups, member: (plan.model, "the autoencoder \(Model.id)"))
    return plan
  }
}

/// The resolved settings of a pretraining.
struct PretrainingPlan<Origin: FrameOrigin, Model: Autoencoder>: RunPlan {
  let origin: Origin
  /// The name of the environment; nil for imported pictures.
  let choice: EnvironmentChoice?
  let model: Model.Settings
  let pretraining: PretrainingSettings
  let dataset: DatasetChoice
  let seed: SeedChoice<PretrainingSettings>
  let machine: MachineSettings

  var groups: [any SettingsGroup] {
    var kind = AutoencoderChoice()
    kind.kind = Model.id
    let choice = choice.map { [$0] } ?? []
    return choice + origin.groups + [kind, model, seed, dataset, pretraining, machine]
  }

  func run(_ options: RunOptions) throws {
    Interruption.listen()
    let run = try options.namedRun("pretrain-ae")
    machine.apply(resuming: try run?.facts())
    let frames = try origin.dataset ?? dataset.opened(of: run)
    let work = PretrainingRun(
      origin.reading(frames), Model.self, pretraining: pretraining, model: model, seed: Seed(seed.seed))
    try work.check()
    let directory = try options.directory(
      "pretrain-ae", environment: origin.id, member: Model.id, seed: seed.seed,
      inputs: try frames.map { try [input($0)] } ?? [],
      settings: groups)
    let summary = try withRun(directory, options) { try work.run(in: directory, say: printProgress) }
    try printLine("autoencoder: \(directory.path)")
    try printLine("images: \(directory.file("reconstructions.png")), \(directory.file("worst.png"))")
    if options.output.json { try printLine(summary.description) }
  }

  private func input(_ frames: FrameDataset) throws -> RunDirectory.Input {
    .init(
      name: "dataset", path: dataset.dataset, absolutePath: try absolutePath(frames.path),
      fingerprint: frames.fingerprint)
  }
}

extension DatasetChoice {
  /// Where the dataset is: a resumed run has recorded it, even if it has moved. Nil if none is chosen.
  private func path(of run: RunDirectory?) throws -> String? {
    guard !dataset.isEmpty else { return nil }
    let recorded = try run?.facts().inputs.first { $0.path == dataset }
    return recorded?.places.first ?? dataset
  }

  /// Opens the dataset to train on; nil if none is chosen.
  fileprivate func opened(of run: RunDirectory?) throws -> FrameDataset? {
    try path(of: run).map { try FrameDataset(path: $0) }
  }

  /// Opens the dataset if it has imported pictures. It need not exist yet: another point of a sweep may collect it.
  fileprivate static func imported(_ choice: DatasetChoice, of run: RunDirectory?) throws -> FrameDataset? {
    guard let path = try choice.path(of: run), exists("\(path)/manifest.json"),
      try FrameDatasetManifest(folder: path).imported != nil
    else { return nil }
    return try FrameDataset(path: path)
  }
}
