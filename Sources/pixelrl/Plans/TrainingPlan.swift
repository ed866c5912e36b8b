import Agents
import ArgumentParser
import Autoencoders
import Core
import Environments
import Formats
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
  @OptionGroup(title: "Machine settings") var machine: SettingsOptions<MachineSource>

  /// Defaults, the file and the flags as one.
  /// - Parameter run: whose settings stand in the place of a file's.
  func plan(of run: RunDirectory? = nil) throws -> any RunPlan {
    var given = try GivenSettings(
      config: source.config ?? run?.file(RunDirectory.settings), environment.typed, encoder.typed, agent.typed,
      training.typed, machine.typed)
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
    let name = try given.resolve(AgentChoice()).agent
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
    var sight = try given.resolve(SightSettings())
    if sight.observe == .state, !sight.autoencoder.isEmpty {
      guard given.isTyped("observe"), !given.isTyped("autoencoder") else {
        throw InputError(
          "--observe state looks through no autoencoder: leave out --autoencoder, or give --observe latent")
      }
      sight.autoencoder = ""  // the file's
    }
    var given = given
    // An on-policy agent must act by its own policy alone.
    if !A.Settings.Experience.isOffPolicy { given.dropTaskDefault(\TrainingSettings.exploreChance) }
    // Nothing is trained further where no autoencoder is looked through.
    if sight.observe != .latent { given.dropTaskDefault(\TrainingSettings.retrainRounds) }
    var training = try given.resolve(TrainingSettings(for: sight.observe, A.self))
    let spreadsEvaluations = !given.isGiven(\TrainingSettings.evaluateEvery)
    if spreadsEvaluations { training.spreadEvaluations(over: training.envSteps) }
    let plan = TrainingPlan<E, A>(
      episode: try given.resolve(E.episodeDefaults), sight: sight, agent: try given.resolve(),
      training: training, spreadsEvaluations: spreadsEvaluations, seed: try given.resolve(),
      machine: try given.resolve(MachineSettings.byDefault),
      origin: given.isTyped("autoencoder") ? nil : given.origin)
    try given.check(plan.groups, member: (plan.agent, "the agent \(A.id)"))
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
  var training: TrainingSettings
  /// Whether a training that is short beside its first data is evaluated more often.
  var spreadsEvaluations: Bool
  let seed: SeedChoice<TrainingSettings>
  let machine: MachineSettings
  /// The run that is done again, if any, with the autoencoder that it names.
  let origin: RunDirectory?

  var groups: [any SettingsGroup] {
    var (environment, kind) = (EnvironmentChoice(), AgentChoice())
    (environment.env, kind.agent) = (E.id, A.id)
    return [environment, episode, sight, kind, agent, seed, training, machine]
  }

  func run(_ options: RunOptions) throws {
    Interruption.listen()
    let run = try options.namedRun("train")
    machine.apply(goingOn: try run?.facts())
    guard sight.observe != .state else {
      guard !E.observationNames.isEmpty else {
        throw InputError("\(E.id) has no state but its pixels: use --observe latent")
      }
      return try train(through: StateObserver(E.self), of: run, options) {
        // An on-policy agent would not learn from them.
        A.Settings.Experience.isOffPolicy
          ? try collect(
            E.self, episode, TaskDefaults.group(of: E.id), seed: Seed(seed.seed).child("collection"))
          : nil
      }
    }
    try E.checkPictures()
    let folder = try autoencoderFolder(of: run)
    let record = try AutoencoderRecord(folder: folder)
    try record.check(environment: E.id, episode, path: folder)
    var plan = self
    if run == nil { plan.sight.autoencoder = folder }
    try plan.run(options, of: run, through: try Autoencoders.named(record.kind), record, folder)
  }

  /// Where the autoencoder is read from. A run that goes on has its own; one that is done again with a settings file has the
  /// one that the file names or, where that changed or moved, its copy.
  private func autoencoderFolder(of run: RunDirectory?) throws -> String {
    let named = sight.autoencoder
    if let run, try run.facts().autoencoderInput?.path == named { return try AutoencoderRecord.folder(of: run) }
    guard !named.isEmpty else { return try newestAutoencoder(for: E.id, episode) }
    guard let origin, let input = try origin.facts().autoencoderInput, input.path == named,
      try !AutoencoderRecord.fits(named, input)
    else { return named }
    guard let kept = try? AutoencoderRecord.folder(of: origin) else {
      if exists("\(named)/autoencoder.json") {
        printProgress("WARNING: \(named) has changed since \(origin.path) was made: this will be another run")
      }
      return named
    }
    let reason = exists(named) ? "WARNING: \(named) has changed since \(origin.path) was made" : "\(named) is not here"
    try printLine("\(reason): \(kept) is used")
    return kept
  }

  /// - Parameters:
  ///   - run: that goes on, if one is named.
  ///   - folder: that the autoencoder and its record are read from.
  private func run<Model: Autoencoder>(
    _ options: RunOptions, of run: RunDirectory?, through kind: Model.Type, _ record: AutoencoderRecord,
    _ folder: String
  ) throws {
    func recorded() throws -> Recording { try record.recording(of: folder, for: run ?? origin, E.self, episode) }
    var encoder = try LatentEncoder<Model>(folder: folder, record: record)
    var probe = record.probe
    var retraining: PretrainingSettings?
    if sight.observe == .randomEncoder {
      if let run, AutoencoderRecord.hasOwnWeights(run) {
        encoder = try LatentEncoder<Model>(folder: run.path, record: record)
      } else {
        encoder = try encoder.randomized(on: recorded(), seed: Seed(seed.seed))
      }
      probe = try StateProbe.judge(encoder, in: E.self, episode, seed: Seed(seed.seed)).probe.record
    } else if training.retrainRounds > 0 {
      retraining = try PretrainingSettings(ofRunIn: folder)
      retraining?.steps = training.retrainSteps
    }
    let input = try AutoencoderRecord.input(folder: folder)
    try train(
      through: LatentObserver(encoder, retraining: retraining), of: run, probe: probe, inputs: [input],
      autoencoder: try record.facts(input), options, first: recorded
    ) { new in
      try record.keep(from: folder, in: new)
      if sight.observe == .randomEncoder { try encoder.write(to: new.path) }
    }
  }

  /// - Parameters:
  ///   - first: gives what the agent learns from first.
  ///   - fill: writes what a new run has from its start.
  private func train<O: Observer>(
    through observer: O, of run: RunDirectory?, probe: [AutoencoderRecord.Setting] = [],
    inputs: [RunDirectory.Input] = [], autoencoder: JSON = .null, _ options: RunOptions,
    first recorded: @escaping () throws -> Recording?, fill: (RunDirectory) throws -> Void = { _ in }
  ) throws {
    // A checkpoint holds what was learned from first.
    let goesOn = run?.hasCheckpoint ?? false
    let first = goesOn ? nil : try recorded()
    if spreadsEvaluations, let first, training.envSteps > first.environmentSteps {
      var plan = self
      plan.training.spreadEvaluations(over: training.envSteps - first.environmentSteps)
      plan.spreadsEvaluations = false
      return try plan.train(
        through: observer, of: run, probe: probe, inputs: inputs, autoencoder: autoencoder, options, first: { first },
        fill: fill)
    }
    if let warning = StateProbe.warning(about: probe) { printProgress(warning) }
    let work = TrainingRun(
      E.self, A.self, through: observer, agent: agent, episode: episode, training: training,
      first: try goesOn ? recorded() : first, seed: Seed(seed.seed))
    if !goesOn { try work.check() }
    let directory = try options.directory(
      "train", environment: E.id, member: A.id, seed: seed.seed, inputs: inputs, autoencoder: autoencoder,
      settings: groups, fill: fill)
    let summary = try withRun(directory, options) {
      let outcome = try work.run(in: directory, say: printProgress)
      let summary = record(outcome, of: directory, probe: probe)
      try directory.finish(summary)
      return summary
    }
    let mean = summary["return_mean"]?.double ?? .nan
    let random = summary["return_random"]?.double.map { "; a random player gets \(shortened($0))" } ?? ""
    try printLine(
      "return \(shortened(mean)) (\(RunProgress.meaning(of: summary))) after \(summary["env_steps"]?.int ?? 0) env steps"
        + random)
    let reconstructions = "\(sight.autoencoder)/reconstructions.png"
    if sight.observe == .latent, exists(reconstructions) { try printLine("reconstructions: \(reconstructions)") }
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
        .init("seed", JSON(whole: seed.seed)),
        .init("probe", .object(probe.map { .init($0.key, Double($0.text).map { .number($0) } ?? .null) })),
      ])
  }
}
