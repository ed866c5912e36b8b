import Agents
import ArgumentParser
import Autoencoders
import Core
import Environments
import Runs
import Training

/// `pixelrl train`
struct Train: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Train an agent on latents of a frozen autoencoder, or on the true state.")

  @Option(help: ArgumentHelp("the environment; 'pixelrl envs' lists them", valueName: "env"))
  var env = CartPoleSwingup.id

  @Option(
    help: ArgumentHelp(
      "the agent: \(Agents.all.map { $0.id }.joined(separator: ", ")) (default: the one that fits the actions)",
      valueName: "name"))
  var agent: String?

  @Option(help: "what the agent sees: latent, state, random-encoder")
  var observe: Sight?

  @Flag(help: "see through a frozen autoencoder; the same as --observe latent, and the default")
  var latent = false

  @Option(help: ArgumentHelp("the autoencoder's folder (default: the newest that fits)", valueName: "folder"))
  var autoencoder: String?

  @OptionGroup var options: RunOptions
  @OptionGroup(title: "Training settings") var training: SettingsOptions<TrainingSource>
  @OptionGroup(title: "Environment settings") var episode: SettingsOptions<EpisodeSource>
  @OptionGroup(title: "Agent settings") var agentSettings: SettingsOptions<AgentSource>

  func run() throws { try open(try Environments.named(env)) }

  private func open<E: Environment>(_ environment: E.Type) throws {
    guard !latent || observe == nil || observe == .latent else {
      throw InputError("--latent and --observe \(observe?.rawValue ?? "") contradict each other: give one")
    }
    guard observe != .state || autoencoder == nil else {
      throw InputError(
        "--observe state looks through no autoencoder: leave out --autoencoder, or give --observe latent")
    }
    guard let kind = try agent.map(Agents.named) ?? Agents.fitting(E.actionSpace) else {
      throw InputError("no agent takes the actions of \(E.id): \(E.actionSpace)")
    }
    guard kind.accepts(E.actionSpace) else {
      let fitting = Agents.all.filter { $0.accepts(E.actionSpace) }.map { $0.id }
      throw InputError(
        "\(kind.id) cannot act in \(E.id) (\(E.actionSpace)): use --agent \(fitting.joined(separator: " or "))")
    }
    try open(environment, kind)
  }

  private func open<E: Environment, A: Agent>(_ environment: E.Type, _ agent: A.Type) throws {
    let resolver = try SettingsResolver(config: options.config, titles: ["environment", "agent", "training"])
    var plan = Plan<E, A>(
      episode: try resolver.resolve("environment", EpisodeSettings.self, episode, of: E.id),
      training: try resolver.resolve("training", TrainingSettings.self, training, of: "training"),
      agent: try resolver.resolve("agent", A.Settings.self, agentSettings, of: "the agent \(A.id)"))
    guard plan.training.retrainRounds == 0 || (observe ?? .latent) == .latent else {
      throw InputError("--retrain-rounds trains the autoencoder of --observe latent: leave it out, or see through one")
    }
    switch observe ?? .latent {
    case .state:
      // The true state has its velocities in it: nothing of the past is needed.
      (plan.training.frames, plan.training.actions) = (1, 0)
      let first = try collect(E.self, plan.episode, CollectionSettings(), seed: Seed(options.seed).child("collection"))
      try train(plan, through: StateObserver(E.self), first: first)
    case .latent, .randomEncoder:
      let folder = try autoencoder ?? newestAutoencoder(for: E.id, plan.episode)
      let record = try AutoencoderRecord(folder: folder)
      try record.check(environment: E.id, plan.episode, path: folder)
      try open(plan, try Autoencoders.named(record.kind), folder, record)
    }
  }

  private func open<E: Environment, A: Agent, Model: Autoencoder>(
    _ plan: Plan<E, A>, _ kind: Model.Type, _ folder: String, _ record: AutoencoderRecord
  ) throws {
    let first = try record.recording(of: folder, E.self, plan.episode)
    var encoder = try LatentEncoder<Model>(folder: folder, record: record)
    var probe = record.probe
    var retraining: PretrainingSettings?
    if observe == .randomEncoder {
      encoder = try encoder.randomized(on: first, seed: Seed(options.seed))
      probe = try StateProbe.judge(encoder, in: E.self, plan.episode, seed: Seed(options.seed)).probe.record
    } else if plan.training.retrainRounds > 0 {
      retraining = try PretrainingSettings(ofRunIn: folder)
      retraining?.steps = plan.training.retrainSteps
    }
    try train(
      plan, through: LatentObserver(encoder, retraining: retraining), first: first, autoencoder: folder, probe: probe)
  }

  private func train<E: Environment, A: Agent, O: Observer>(
    _ plan: Plan<E, A>, through observer: O, first: Recording, autoencoder: String? = nil,
    probe: [AutoencoderRecord.Setting] = []
  ) throws {
    if let warning = StateProbe.warning(about: probe) { try printLine(warning) }
    let work = TrainingRun(
      E.self, A.self, through: observer, agent: plan.agent, episode: plan.episode, training: plan.training,
      first: first, seed: Seed(options.seed))
    try work.check()
    let directory = try options.directory("train", environment: E.id, member: A.id, settings: work.groups)
    let outcome = try work.run(in: directory, say: printLine)
    let summary = JSON.object(
      outcome + [
        .init("peak_mb", .number(Host.peakMegabytes)),
        .init("run", .string(directory.path)),
        .init("autoencoder", autoencoder.map { .string($0) } ?? .null),
        .init("observe", .string((observe ?? .latent).rawValue)),
        .init("environment", .string(E.id)), .init("agent", .string(A.id)),
        .init("seed", Int(exactly: options.seed).map { .integer($0) } ?? .string("\(options.seed)")),
        .init("probe", .object(probe.map { .init($0.key, Double($0.text).map { .number($0) } ?? .null) })),
      ])
    try directory.finish(summary)
    let mean = summary["return_mean"]?.double ?? .nan
    try printLine(
      "return \(shortened(mean)) (mean of the last three evaluations) after \(summary["env_steps"]?.int ?? 0) env steps"
    )
    if let autoencoder, observe != .randomEncoder {
      try printLine("reconstructions: \(autoencoder)/reconstructions.png")
    }
    try printLine("learning curve: \(directory.file("curve.png"))")
    try printLine("episode video: \(directory.file("episode.png"))")
    if options.json { try printLine(summary.description) }
  }
}

/// The resolved settings of a training.
private struct Plan<E: Environment, A: Agent> {
  let episode: EpisodeSettings
  var training: TrainingSettings
  let agent: A.Settings
}

extension Sight: ExpressibleByArgument {}

enum TrainingSource: SettingsSource {
  static let groups: [any SettingsGroup.Type] = [TrainingSettings.self]
}

/// What the members of the catalog take.
enum AgentSource: SettingsSource {
  static let groups: [any SettingsGroup.Type] = Agents.all.map { settingsType($0) }

  private static func settingsType<A: Agent>(_ agent: A.Type) -> any SettingsGroup.Type { A.Settings.self }
}
