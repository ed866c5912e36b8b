import Agents
import Autoencoders
import Core
import Environments
import Formats
import Representations
import Runs

/// A training from its settings to its folder: through what the agent sees, from which data it learns first, and what the
/// run keeps so that it can be gone on with, evaluated and looked into from anywhere.
public struct Experiment<E: Environment, A: Agent> {
  public let environment: E
  public var episode: EpisodeSettings
  public var encoder: EncoderSettings
  /// For places that start from random weights; nil where the encoder is read from a folder.
  public var newEncoder: NewEncoder?
  public var agent: A.Settings
  public var training: TrainingSettings
  /// Whether a training that is short beside its first data is evaluated more often.
  public var spreadsEvaluations: Bool
  public var seed: Seed
  /// The run that is done again, if any, with the autoencoder that it names.
  public var origin: RunDirectory?

  public init(
    _ environment: E, _ agentKind: A.Type, episode: EpisodeSettings, encoder: EncoderSettings,
    newEncoder: NewEncoder?, agent: A.Settings, training: TrainingSettings, spreadsEvaluations: Bool = false,
    seed: Seed, origin: RunDirectory? = nil
  ) {
    self.environment = environment
    (self.episode, self.encoder, self.newEncoder) = (episode, encoder, newEncoder)
    (self.agent, self.training, self.spreadsEvaluations) = (agent, training, spreadsEvaluations)
    (self.seed, self.origin) = (seed, origin)
  }

  /// An experiment that can begin: all that is settled before its folder is made.
  public struct Prepared {
    /// As given, with the autoencoder's folder and the size of the replay buffer.
    public let encoder: EncoderSettings
    public let training: TrainingSettings
    public let inputs: [RunDirectory.Input]
    /// What `run.json` has of the autoencoder.
    public let autoencoder: JSON
    /// R² of the state probe by name; empty where none was made.
    public let probe: [AutoencoderRecord.Setting]
    /// Writes what a new run has from its start.
    public let fill: (RunDirectory) throws -> Void
    /// Trains in the run's folder; the outcome is that of `TrainingRun.run`.
    public let run: (RunDirectory, _ say: (String) throws -> Void) throws -> [JSON.Member]
  }

  /// Refuses a place of the encoder that does not fit the agent or the kind, before anything is collected.
  ///
  /// - Throws: `InputError` that says what to type instead.
  public func check() throws {
    guard encoder.observe == .latent else {
      guard !environment.spec.observationNames.isEmpty else {
        throw InputError("\(environment.spec.id) has no state but its pixels: use --observe latent")
      }
      return
    }
    let place = try Places.named(encoder.place)
    guard !place.needsBatches || A.Settings.Experience.isOffPolicy else {
      throw InputError(
        "--encoder \(place.id) learns from batches of replay, and \(A.id) has none: use --encoder frozen, random, rounds or "
          + "bursts, or an agent such as sac or double-dqn")
    }
    try checkFrames(place)
    if let kind = newEncoder?.kind, place.teachers.contains(.reconstruction), !kind.hasDecoder {
      let fitting = Autoencoders.all.filter { $0.hasDecoder }.map { $0.id }
      throw InputError(
        "--encoder \(place.id) draws frames again, and --kind \(kind.id) has no decoder: use --kind "
          + "\(fitting.joined(separator: " or ")), or --encoder critic-only")
    }
  }

  /// Refuses a replay buffer whose frames alone are more than the memory holds, before any is drawn.
  private func checkFrames(_ place: Place) throws {
    let frame = episode.blankFrame.bytes.count
    guard place.keeps != .latents, training.replay > Host.memory / frame else { return }
    throw InputError(
      "--replay \(training.replay) frames of \(grouped(Double(frame))) bytes are more than this machine's memory of "
        + "\(megabytes(Host.memory)): give at most \(Host.memory / 2 / frame), or --replay 0 for what fits")
  }

  /// Settles through what the agent sees, and from which data it learns first.
  ///
  /// - Parameter run: that goes on, if one is named.
  /// - Throws: `InputError` that says what to type instead, `WorldError` with the path of what is missing or damaged.
  public func prepared(goingOn run: RunDirectory?, say: (String) throws -> Void) throws -> Prepared {
    try check()
    guard encoder.observe == .latent else {
      // An on-policy agent would not learn from random play.
      return try prepared(through: TrueState(environment.spec), goingOn: run) {
        A.Settings.Experience.isOffPolicy ? try firstData(environment, episode, seed: seed) : nil
      }
    }
    try environment.checkPictures()
    guard let newEncoder, run == nil else {
      let folder = try autoencoderFolder(of: run, say)
      let record = try AutoencoderRecord(folder: folder)
      try record.check(environment: environment.spec.id, episode, path: folder)
      func read<Model: Autoencoder>(_ kind: Model.Type) throws -> Prepared {
        try prepared(
          with: EncoderStart.read(
            kind, from: folder, record, for: run ?? origin, isNew: newEncoder != nil, environment, episode, seed: seed),
          folder, goingOn: run)
      }
      return try read(try Autoencoders.named(record.kind))
    }
    func new<Model: Autoencoder>(_ kind: Model.Type) throws -> Prepared {
      guard let settings = newEncoder.settings as? Model.Settings else {
        preconditionFailure("settings of \(type(of: newEncoder.settings)) for the encoder \(Model.id)")
      }
      let place = try Places.named(encoder.place)
      return try prepared(
        with: EncoderStart.new(kind, settings, place: place, environment, episode, seed: seed), "", goingOn: run)
    }
    return try new(newEncoder.kind)
  }

  /// Where the autoencoder is read from. A run that goes on has its own; for a new one it is the folder that is named or,
  /// where a run is done again and that has changed or moved, the run's copy.
  private func autoencoderFolder(of run: RunDirectory?, _ say: (String) throws -> Void) throws -> String {
    let named = encoder.autoencoder
    if let run {
      let input = try run.facts().autoencoderInput
      return input == nil || input?.path == named ? try AutoencoderRecord.folder(of: run) : named
    }
    guard !named.isEmpty else { return try newestAutoencoder(for: environment.spec.id, episode) }
    guard let origin, let input = try origin.facts().autoencoderInput, input.path == named,
      try !AutoencoderRecord.fits(named, input)
    else { return named }
    guard let kept = try? AutoencoderRecord.folder(of: origin) else {
      if exists(EncoderFiles(of: named).record) {
        try say("WARNING: \(named) has changed since \(origin.path) was made: this will be another run")
      }
      return named
    }
    let reason = exists(named) ? "WARNING: \(named) has changed since \(origin.path) was made" : "\(named) is not here"
    try say("\(reason): \(kept) is used")
    return kept
  }

  private func prepared<Model: Autoencoder>(
    with start: EncoderStart<Model>, _ folder: String, goingOn run: RunDirectory?
  ) throws -> Prepared {
    let place = try Places.named(encoder.place)
    let representation = EncodedFrames(
      start.encoder, place: place, settings: encoder, pretraining: start.pretraining, isPretrained: start.isPretrained,
      seed: seed)
    var settled = self
    if run == nil { settled.encoder.autoencoder = folder }
    var probe = start.record.probe
    if !start.isPretrained, place.when == .never, run == nil {
      probe = try StateProbe.judge(start.encoder, in: environment, episode, seed: seed).probe.record
    }
    return try settled.prepared(
      through: representation, goingOn: run, probe: place.when == .never ? probe : [],
      inputs: start.input.map { [$0] } ?? [],
      autoencoder: try start.input.map { try start.record.facts($0) } ?? start.record.newFacts, first: start.first,
      fill: start.keep)
  }

  /// - Parameters:
  ///   - recorded: gives what the agent learns from first.
  ///   - fill: writes what a new run has from its start.
  private func prepared<R: Representation>(
    through representation: R, goingOn run: RunDirectory?, probe: [AutoencoderRecord.Setting] = [],
    inputs: [RunDirectory.Input] = [], autoencoder: JSON = .null, first recorded: @escaping () throws -> Recording?,
    fill: @escaping (RunDirectory) throws -> Void = { _ in }
  ) throws -> Prepared {
    var training = training
    let layout = training.layout(latentSize: representation.latentSize, actionSpace: environment.spec.actionSpace)
    training.replay = training.capacity(of: representation.memory, layout)
    // A checkpoint holds what was learned from first.
    let goesOn = run?.hasCheckpoint ?? false
    func work(_ first: @autoclosure @escaping () throws -> Recording?) -> TrainingRun<E, A, R> {
      TrainingRun(
        environment, A.self, through: representation, agent: agent, episode: episode, training: training,
        first: try first(), seed: seed)
    }
    var ready = work(try recorded())
    if !goesOn {
      // Before frozen latents' first data are read, or those of the true state collected.
      try ready.checkSizes()
      let first = try recorded()
      if spreadsEvaluations, let first, training.envSteps > first.environmentSteps {
        training.spreadEvaluations(over: training.envSteps - first.environmentSteps)
      }
      ready = work(first)
      try ready.check()
    }
    return Prepared(
      encoder: encoder, training: training, inputs: inputs, autoencoder: autoencoder, probe: probe, fill: fill
    ) { [ready] in try ready.run(in: $0, say: $1) }
  }
}
