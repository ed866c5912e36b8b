import Agents
import ArgumentParser
import Autoencoders
import Core
import Environments
import Formats
import Representations
import Runs
import Training

/// The settings of `pixelrl train`, as flags.
struct TrainingFlags: ParsableArguments {
  @Flag(help: "observe the latents of an encoder; the same as --observe latent, and the default")
  var latent = false

  @OptionGroup var source: ConfigOptions
  @OptionGroup(title: "Environment settings") var environment: SettingsOptions<EnvironmentSource>
  @OptionGroup(title: "Encoder settings") var encoder: SettingsOptions<EncoderSource>
  @OptionGroup(title: "Settings of a new encoder") var newEncoder: SettingsOptions<AutoencoderSource>
  @OptionGroup(title: "Agent settings") var agent: SettingsOptions<AgentSource>
  @OptionGroup(title: "Training settings") var training: SettingsOptions<TrainingSource>
  @OptionGroup(title: "Machine settings") var machine: SettingsOptions<MachineSource>

  /// The flags' values, by key.
  var typed: [String: String] {
    GivenSettings.merged(
      [environment.typed, encoder.typed, newEncoder.typed, agent.typed, training.typed, machine.typed])
  }

  /// Resolves the defaults, the file and the flags.
  ///
  /// - Parameters:
  ///   - run: the run whose settings file is used if `--config` is not given.
  ///   - keys: the flags that count; nil: all.
  ///   - inSweep: whether they are the settings of a point of a sweep, some of which go to all of its arms.
  func plan(
    of run: RunDirectory? = nil, only keys: Set<String>? = nil, inSweep: Bool = false
  ) throws -> any RunPlan {
    var given = try GivenSettings(
      config: source.config ?? run?.file(RunDirectory.settings), typed.filter { keys?.contains($0.key) ?? true })
    given.isOfSweep = inSweep
    if latent {
      if let other = encoder.typed["observe"], other != ObservationKind.latent.text {
        throw InputError("--latent and --observe \(other) contradict each other: give one")
      }
      given.type("observe", ObservationKind.latent.text)
    }
    // A run that is resumed has all settings, and its own copy of the weights.
    if run == nil { try given.begin() }
    let environment = try given.environment()
    try run?.check(environment: environment.spec.id)
    return try plan(given, environment)
  }

  private func plan(_ given: GivenSettings, _ environment: some Environment) throws -> any RunPlan {
    let spec = environment.spec
    let name = try given.resolve(AgentChoice()).agent
    guard let kind = name.isEmpty ? Agents.fitting(spec.actionSpace) : try Agents.named(name) else {
      throw InputError("no agent supports the actions of \(spec.id): \(spec.actionSpace)")
    }
    try given.start?.saved.check(beginning: kind.id, in: spec, try encoderSettings(of: given))
    guard kind.accepts(spec.actionSpace) else {
      // The broken agent exists only to show a failure, so it is not offered.
      let isOffline = try given.resolve(TrainingSettings()).isOffline
      let fitting = Agents.all.filter { $0.accepts(spec.actionSpace) && (isOffline || !$0.onlyImitates) }.map { $0.id }
        .filter { $0 != BrokenOffPolicyActorCritic.id }
      throw InputError(
        "\(kind.id) cannot act in \(spec.id) (\(spec.actionSpace)): choose --agent from "
          + fitting.joined(separator: ", "))
    }
    return try plan(given, environment, kind)
  }

  private func plan<E: Environment, A: Agent>(
    _ given: GivenSettings, _ environment: E, _ agent: A.Type
  ) throws -> any RunPlan {
    var given = given
    let encoder = try encoderSettings(of: given)
    let place = encoder.observe == .state ? nil : try Places.named(encoder.place)
    // Whether the run creates a new encoder, or loads an autoencoder.
    let startsAtRandom =
      place.map { $0.start == .random || $0.start == .either && encoder.autoencoder.isEmpty } ?? false
    var defaults = environment.spec.episodeDefaults
    if startsAtRandom, let stack = place?.frameStack { defaults.frameStack = stack }
    let episode = try given.resolve(defaults)
    // An on-policy agent must choose all actions with its own policy.
    if !A.Settings.Experience.isOffPolicy { given.dropTaskDefault(\TrainingSettings.exploreChance) }
    var training = try given.resolve(TrainingSettings(at: place, frameStack: episode.frameStack, A.self))
    let spreadsEvaluations = !given.isGiven(\TrainingSettings.evaluateEvery)
    if spreadsEvaluations { training.spreadEvaluations(over: training.length) }
    if training.isOffline { training.environments = 1 }
    let agentDefaults = A.Settings(of: place)
    func plan<Model: Autoencoder>(_ kind: Model.Type) throws -> any RunPlan {
      let model: Model.Settings = try given.resolve()
      let plan = TrainingPlan<E, A>(
        experiment: Experiment(
          environment, A.self, episode: episode, encoder: encoder,
          newEncoder: startsAtRandom ? NewEncoder(kind, model) : nil, agent: try given.resolve(agentDefaults),
          training: training, spreadsEvaluations: spreadsEvaluations,
          seed: Seed(try given.resolve(SeedChoice<TrainingSettings>()).seed),
          start: try given.resolve(StartingWeights()),
          origin: given.isTyped("autoencoder") ? nil : given.origin),
        machine: try given.resolve(MachineSettings.byDefault))
      try checkUnused(given, place, startsAtRandom)
      try checkUnused(given, training)
      try checkUnused(given, A.self)
      try given.check(plan.groups, member: (plan.experiment.agent, "the agent \(A.id)"))
      try plan.experiment.check()
      return plan
    }
    var choice = AutoencoderChoice()
    if let kind = place?.kind { choice.kind = kind }
    return try plan(try Autoencoders.named(try given.resolve(choice).kind))
  }

  /// Resolves the encoder's settings. A place that starts from random weights takes no autoencoder.
  private func encoderSettings(of given: GivenSettings) throws -> EncoderSettings {
    var encoder = try given.resolve(EncoderSettings())
    if let saved = given.start?.saved {
      guard !given.isTyped("autoencoder") else {
        throw InputError(
          "--from \(saved.run.path) continues with the encoder of that run: leave out --autoencoder, or leave out --from"
        )
      }
      encoder.autoencoder = saved.startingAutoencoder
      // The check of the weights names what differs.
      if encoder.observe == .latent { return encoder }
    }
    if encoder.observe == .state {
      if given.isTyped("encoder") {
        throw InputError("--observe state uses no encoder: leave out --encoder, or use --observe latent")
      }
      guard encoder.autoencoder.isEmpty || given.isTyped("observe") && !given.isTyped("autoencoder") else {
        throw InputError("--observe state uses no autoencoder: leave out --autoencoder, or use --observe latent")
      }
      (encoder.place, encoder.autoencoder) = (EncoderSettings().place, "")  // from the file or the task's defaults
    }
    if try Places.named(encoder.place).start == .random, !encoder.autoencoder.isEmpty {
      guard given.isTyped("encoder"), !given.isTyped("autoencoder") else {
        throw InputError(
          "--encoder \(encoder.place) starts from random weights: leave out --autoencoder, or use --encoder finetune")
      }
      encoder.autoencoder = ""  // from the file
    }
    return encoder
  }

  /// Checks that no flag is given that would have no effect.
  private func checkUnused(_ given: GivenSettings, _ place: Place?, _ startsAtRandom: Bool) throws {
    if let saved = given.start?.saved, let key = newEncoder.typed.keys.sorted().first(where: given.isTyped) {
      throw InputError(
        "--\(key) is a setting of a new encoder, but --from \(saved.run.path) continues with the encoder of that run: "
          + "leave the flag out")
    }
    if !startsAtRandom, let key = newEncoder.typed.keys.sorted().first(where: given.isTyped) {
      throw InputError(
        "--\(key) is a setting of a new encoder, but "
          + (place.map { "--encoder \($0.id) uses a pretrained one: give the flag to 'pixelrl pretrain-ae' instead" }
            ?? "--observe state uses none: leave the flag out"))
    }
    let unused = encoder.typed.keys.sorted().first { given.isTyped($0) && !EncoderSettings.hasEffect($0, at: place) }
    if let unused {
      let places = Places.all.filter { EncoderSettings.hasEffect(unused, at: $0) }.map { "--encoder \($0.id)" }
      throw InputError(
        "--\(unused) is for \(alternatives(places, "and")): use \(places.count > 1 ? "one of these" : "it"), or leave "
          + "--\(unused) out")
    }
  }
}

extension TrainingFlags {
  /// The flags of an agent that acts.
  private static let acting = [
    "env-steps", "training-time-limit", "environments", "seed-updates", "updates-per-step", "reset-at",
    "explore-chance", "explore-hold-limit", "life-loss",
  ]

  /// Checks that no flag of an agent that acts is given with a dataset, and none of a dataset without one.
  private func checkUnused(_ given: GivenSettings, _ training: TrainingSettings) throws {
    if training.isOffline, let key = Self.acting.first(where: given.isTyped) {
      throw InputError(
        "--\(key) has no effect with --dataset, from which the agent learns without acting: "
          + (key == "env-steps" ? "use --updates" : "leave it out"))
    }
    let updates = TrainingSettings.key(of: \.updates)
    guard training.isOffline || !given.isTyped(updates) else {
      throw InputError("--\(updates) is for learning from a --dataset: give one, or use --env-steps")
    }
  }

  /// Checks that no flag of updates on batches is given with an agent that makes none. The arms of a sweep that compares
  /// it with another agent may share them.
  private func checkUnused<A: Agent>(_ given: GivenSettings, _ agent: A.Type) throws {
    typealias Experience = A.Settings.Experience
    guard !given.isOfSweep, !Experience.isOffPolicy else { return }
    var keys = [TrainingSettings.key(of: \.seedUpdates)]
    if !Experience.drawsBatches {
      keys += [TrainingSettings.key(of: \.updatesPerStep), TrainingSettings.key(of: \.returnSteps)]
    }
    guard let key = keys.first(where: given.isTyped) else { return }
    throw InputError(
      "--\(key) has no effect with \(A.id), which learns from its own latest actions: leave it out, or use an agent such "
        + "as sac or double-dqn")
  }
}

extension AgentSettings {
  /// Creates the agent's defaults for a place of the encoder.
  fileprivate init(of place: Place?) {
    self.init()
    guard let batch = place?.batch, var settings = self as? any BatchSettings else { return }
    settings.batch = batch
    if let settings = settings as? Self { self = settings }
  }
}

/// The resolved settings of a training.
struct TrainingPlan<E: Environment, A: Agent>: RunPlan {
  var experiment: Experiment<E, A>
  let machine: MachineSettings

  var groups: [any SettingsGroup] {
    var (choice, agent, kind) = (EnvironmentChoice(), AgentChoice(), AutoencoderChoice())
    (choice.env, agent.agent) = (experiment.environment.spec.id, A.id)
    var groups: [any SettingsGroup] = [choice, experiment.episode, experiment.encoder]
    if let new = experiment.newEncoder {
      kind.kind = new.kind.id
      groups += [kind, new.settings]
    }
    return groups + [
      agent, experiment.agent, experiment.start, SeedChoice<TrainingSettings>(experiment.seed), experiment.training,
      machine,
    ]
  }

  func run(_ options: RunOptions) throws {
    Interruption.listen()
    let run = try options.namedRun("train")
    machine.apply(resuming: try run?.facts())
    let prepared = try experiment.prepared(resuming: run) { printProgress($0) }
    var settled = self
    (settled.experiment.encoder, settled.experiment.training) = (prepared.encoder, prepared.training)
    if let warning = StateProbe.warning(about: prepared.probe) { printProgress(warning) }
    let directory = try options.directory(
      "train", environment: experiment.environment.spec.id, member: A.id, seed: experiment.seed.value,
      inputs: prepared.inputs,
      autoencoder: prepared.autoencoder, settings: settled.groups, fill: prepared.fill)
    let isLonger = try directory.differences(from: settled.groups).contains {
      TrainingSettings.lengthKeys.contains($0.key)
    }
    let summary = try withRun(directory, options, lengthenedTo: isLonger ? settled.groups : nil) {
      let outcome = try prepared.run(directory) { printProgress($0) }
      let summary = record(outcome, of: directory, prepared)
      try directory.finish(summary)
      return summary
    }
    try report(summary, of: directory, prepared.encoder)
    if options.output.json { try printLine(summary.description) }
  }

  private func report(_ summary: JSON, of directory: RunDirectory, _ encoder: EncoderSettings) throws {
    let mean = summary["return_mean"]?.double ?? .nan
    let random = summary["return_random"]?.double.map { "; a random player gets \(shortened($0))" } ?? ""
    let steps = summary[experiment.training.isOffline ? "updates" : "env_steps"]?.int ?? 0
    try printLine(
      "return \(shortened(mean)) (\(RunProgress.meaning(of: summary))) after \(steps) \(experiment.training.stepName)"
        + random)
    let reconstructions = "\(encoder.autoencoder)/reconstructions.png"
    if encoder.observe == .latent, exists(reconstructions) { try printLine("reconstructions: \(reconstructions)") }
    try printLine("learning curve: \(directory.file("curve.png"))")
    try printLine("episode video: \(directory.file("episode.png"))")
  }

  private func record(
    _ outcome: [JSON.Member], of directory: RunDirectory, _ prepared: Experiment<E, A>.Prepared
  ) -> JSON {
    let encoder = prepared.encoder
    return .object(
      outcome + [
        .init("peak_mb", .number(Host.peakMegabytes)),
        .init("run", .string(directory.path)),
        .init("autoencoder", encoder.autoencoder.isEmpty ? .null : .string(encoder.autoencoder)),
        .init("observe", .string(encoder.observe.rawValue)),
        .init("encoder", encoder.observe == .state ? .null : .string(encoder.place)),
        .init("environment", .string(experiment.environment.spec.id)), .init("agent", .string(A.id)),
        .init("seed", JSON(whole: experiment.seed.value)),
        .init("probe", .object(prepared.probe.map { .init($0.key, Double($0.text).map { .number($0) } ?? .null) })),
      ])
  }
}
