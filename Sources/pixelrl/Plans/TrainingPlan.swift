import Agents
import ArgumentParser
import Autoencoders
import Core
import Environments
import Runs
import Training

/// The settings of `pixelrl train`, as flags.
struct TrainingFlags: ParsableArguments {
  @Flag(help: "see through a frozen autoencoder; the same as --observe latent, and the default")
  var latent = false

  @OptionGroup var source: ConfigOptions
  @OptionGroup(title: "Environment settings") var environment: SettingsOptions<EnvironmentSource>
  @OptionGroup(title: "Encoder settings") var encoder: SettingsOptions<SightSource>
  @OptionGroup(title: "Agent settings") var agent: SettingsOptions<AgentSource>
  @OptionGroup(title: "Training settings") var training: SettingsOptions<TrainingSource>

  /// Defaults, the file and the flags as one.
  /// - Parameter run: whose settings stand in the place of a file's.
  func plan(of run: RunDirectory? = nil) throws -> any RunPlan {
    var given = try GivenSettings(
      config: source.config ?? run?.file(RunDirectory.settings), environment.typed, encoder.typed, agent.typed,
      training.typed)
    if latent {
      if let other = encoder.typed["observe"], other != Sight.latent.text {
        throw InputError("--latent and --observe \(other) contradict each other: give one")
      }
      given.type("observe", Sight.latent.text)
    }
    let environment = try given.environment()
    return try plan(given, environment)
  }

  private func plan<E: Environment>(_ given: GivenSettings, _ environment: E.Type) throws -> any RunPlan {
    let name = try given.resolve("agent", AgentChoice()).agent
    guard let kind = name.isEmpty ? Agents.fitting(E.actionSpace) : try Agents.named(name) else {
      throw InputError("no agent takes the actions of \(E.id): \(E.actionSpace)")
    }
    guard kind.accepts(E.actionSpace) else {
      let fitting = Agents.all.filter { $0.accepts(E.actionSpace) }.map { $0.id }
      throw InputError(
        "\(kind.id) cannot act in \(E.id) (\(E.actionSpace)): use --agent \(fitting.joined(separator: " or "))")
    }
    return try plan(given, E.self, kind)
  }

  private func plan<E: Environment, A: Agent>(_ given: GivenSettings, _ environment: E.Type, _ agent: A.Type) throws
    -> any RunPlan
  {
    var sight = try given.resolve("encoder", SightSettings())
    if sight.observe == .state, !sight.autoencoder.isEmpty {
      guard given.isTyped("observe"), !given.isTyped("autoencoder") else {
        throw InputError(
          "--observe state looks through no autoencoder: leave out --autoencoder, or give --observe latent")
      }
      sight.autoencoder = ""  // the file's
    }
    var given = given
    // An on-policy agent must act by its own policy alone.
    if !A.Settings.Experience.isOffPolicy { given.dropTaskDefault("training", "explore-chance") }
    // Nothing is trained further where no autoencoder is looked through.
    if sight.observe != .latent { given.dropTaskDefault("training", "retrain-rounds") }
    let plan = TrainingPlan<E, A>(
      episode: try given.resolve("environment", E.episodeDefaults), sight: sight, agent: try given.resolve("agent"),
      training: try given.resolve("training", TrainingSettings(for: sight.observe, A.self)),
      seed: try given.resolve("training"), origin: given.origin)
    try given.check(plan.groups, member: ("agent", "the agent \(A.id)"))
    guard plan.training.retrainRounds == 0 || sight.observe == .latent else {
      throw InputError("--retrain-rounds trains the autoencoder of --observe latent: leave it out, or see through one")
    }
    return plan
  }
}

/// The resolved settings of a training.
struct TrainingPlan<E: Environment, A: Agent>: RunPlan {
  let episode: EpisodeSettings
  var sight: SightSettings
  let agent: A.Settings
  let training: TrainingSettings
  let seed: SeedChoice
  /// The run that is done again, if any.
  let origin: RunDirectory?

  var groups: [(title: String, group: any SettingsGroup)] {
    var (environment, kind) = (EnvironmentChoice(), AgentChoice())
    (environment.env, kind.agent) = (E.id, A.id)
    return [
      ("environment", environment), ("environment", episode), ("encoder", sight), ("agent", kind), ("agent", agent),
      ("training", seed), ("training", training),
    ]
  }

  func run(_ options: RunOptions) throws {
    guard sight.observe != .state else {
      guard !E.observationNames.isEmpty else {
        throw InputError("\(E.id) has no state but its pixels: use --observe latent")
      }
      // An on-policy agent would not learn from them.
      let first =
        A.Settings.Experience.isOffPolicy
        ? try collect(
          E.self, episode, TaskDefaults.group("collection", of: E.id), seed: Seed(seed.seed).child("collection")) : nil
      return try train(through: StateObserver(E.self), first: first, options)
    }
    var plan = self
    if sight.autoencoder.isEmpty { plan.sight.autoencoder = try newestAutoencoder(for: E.id, episode) }
    let record = try AutoencoderRecord(folder: plan.sight.autoencoder)
    try record.check(environment: E.id, episode, path: plan.sight.autoencoder)
    try plan.run(options, through: try Autoencoders.named(record.kind), record)
  }

  private func run<Model: Autoencoder>(
    _ options: RunOptions, through kind: Model.Type, _ record: AutoencoderRecord
  ) throws {
    let folder = sight.autoencoder
    let first = try record.recording(of: folder, E.self, episode)
    var encoder = try LatentEncoder<Model>(folder: folder, record: record)
    var probe = record.probe
    var retraining: PretrainingSettings?
    if sight.observe == .randomEncoder {
      encoder = try encoder.randomized(on: first, seed: Seed(seed.seed))
      probe = try StateProbe.judge(encoder, in: E.self, episode, seed: Seed(seed.seed)).probe.record
    } else if training.retrainRounds > 0 {
      retraining = try PretrainingSettings(ofRunIn: folder)
      retraining?.steps = training.retrainSteps
    }
    let input = try AutoencoderRecord.input(folder: folder)
    if let origin, let former = try origin.facts().inputs.first(where: { $0.path == folder }), former != input {
      try printLine("WARNING: \(folder) has changed since \(origin.path) was made: this will be another run")
    }
    try train(
      through: LatentObserver(encoder, retraining: retraining), first: first, probe: probe, inputs: [input], options)
  }

  private func train<O: Observer>(
    through observer: O, first: Recording?, probe: [AutoencoderRecord.Setting] = [], inputs: [RunDirectory.Input] = [],
    _ options: RunOptions
  ) throws {
    if let warning = StateProbe.warning(about: probe) { try printLine(warning) }
    let work = TrainingRun(
      E.self, A.self, through: observer, agent: agent, episode: episode, training: training, first: first,
      seed: Seed(seed.seed))
    try work.check()
    let directory = try options.directory(
      "train", environment: E.id, member: A.id, seed: seed.seed, inputs: inputs, settings: groups)
    let summary = try withRun(directory, options) {
      let outcome = try work.run(in: directory, say: printLine)
      let summary = record(outcome, of: directory, probe: probe)
      try directory.finish(summary)
      return summary
    }
    let mean = summary["return_mean"]?.double ?? .nan
    let judged = LastEvaluations.note(of: summary["evaluations"]?.array?.count ?? 0)
    try printLine("return \(shortened(mean)) (\(judged)) after \(summary["env_steps"]?.int ?? 0) env steps")
    if sight.observe == .latent { try printLine("reconstructions: \(sight.autoencoder)/reconstructions.png") }
    try printLine("learning curve: \(directory.file("curve.png"))")
    try printLine("episode video: \(directory.file("episode.png"))")
    if options.output.json { try printLine(summary.description) }
  }

  private func record(
    _ outcome: [JSON.Member], of directory: RunDirectory, probe: [AutoencoderRecord.Setting]
  ) -> JSON {
    .object(
      outcome + [
        .init("peak_mb", .number(Host.peakMegabytes)),
        .init("run", .string(directory.path)),
        .init("autoencoder", sight.autoencoder.isEmpty ? .null : .string(sight.autoencoder)),
        .init("observe", .string(sight.observe.rawValue)),
        .init("environment", .string(E.id)), .init("agent", .string(A.id)),
        .init("seed", Int(exactly: seed.seed).map { .integer($0) } ?? .string("\(seed.seed)")),
        .init("probe", .object(probe.map { .init($0.key, Double($0.text).map { .number($0) } ?? .null) })),
      ])
  }
}
