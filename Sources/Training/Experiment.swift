import Agents
import Autoencoders
import Core
import Environments
import Formats
import Replay
import Representations
import Runs

/// A training from its settings to its run directory. It selects the agent's observation and the first data, and copies
/// into the run what is needed to resume, evaluate and inspect it from anywhere.
public struct Experiment<E: Environment, A: Agent> {
  public let environment: E
  public var episode: EpisodeSettings
  public var encoder: EncoderSettings
  /// For places that start from random weights; nil if the encoder is read from a folder.
  public var newEncoder: NewEncoder?
  public var agent: A.Settings
  public var training: TrainingSettings
  /// Whether a short training is evaluated more often than `evaluateEvery`.
  public var spreadsEvaluations: Bool
  public var seed: Seed
  /// The run whose weights the training begins with.
  public var start: StartingWeights
  /// The run to repeat, if any, with the autoencoder that it names.
  public var origin: RunDirectory?

  public init(
    _ environment: E, _ agentKind: A.Type, episode: EpisodeSettings, encoder: EncoderSettings,
    newEncoder: NewEncoder?, agent: A.Settings, training: TrainingSettings, spreadsEvaluations: Bool = false,
    seed: Seed, start: StartingWeights = StartingWeights(), origin: RunDirectory? = nil
  ) {
    self.environment = environment
    (self.episode, self.encoder, self.newEncoder) = (episode, encoder, newEncoder)
    (self.agent, self.training, self.spreadsEvaluations) = (agent, training, spreadsEvaluations)
    (self.seed, self.start, self.origin) = (seed, start, origin)
  }

  /// An experiment that is ready to start: everything that is resolved before its run directory is made.
  public struct Prepared {
    /// The settings as given, with the autoencoder's folder and the size of the replay buffer filled in.
    public let encoder: EncoderSettings
    public let training: TrainingSettings
    public let inputs: [RunDirectory.Input]
    /// The entry `autoencoder` of `run.json`.
    public let autoencoder: JSON
    /// R² of the state probe by name; empty if there is no probe.
    public let probe: [AutoencoderRecord.Setting]
    /// Writes the initial files of a new run.
    public let fill: (RunDirectory) throws -> Void
    /// Trains in the run directory and returns the result of `TrainingRun.run`.
    public let run: (RunDirectory, _ say: (String) throws -> Void) throws -> [JSON.Member]
  }

  /// Checks that the encoder's place fits the agent and the encoder's kind, before anything is collected.
  ///
  /// - Throws: `InputError` that says which value to use instead.
  public func check() throws {
    try checkDataset()
    guard encoder.observe == .latent else {
      guard !environment.spec.observationNames.isEmpty else {
        throw InputError("\(environment.spec.id) has no state but its pixels: use --observe latent")
      }
      return
    }
    let place = try Places.named(encoder.place)
    guard !place.needsBatches || A.Settings.Experience.trainsEncoders else {
      throw InputError(
        "--encoder \(place.id) trains the encoder on the agent's batches, which \(A.id) does not support: use --encoder "
          + "frozen, random, rounds or bursts, or an agent such as sac or double-dqn")
    }
    try checkFrames(place)
    if let kind = newEncoder?.kind, place.losses.contains(.reconstruction), !kind.hasDecoder {
      let fitting = Autoencoders.all.filter { $0.hasDecoder }.map { $0.id }
      throw InputError(
        "--encoder \(place.id) reconstructs frames, but --kind \(kind.id) has no decoder: use --kind "
          + "\(fitting.joined(separator: " or ")), or --encoder critic-only")
    }
  }

  /// Checks that the agent can learn with a dataset, or without one.
  private func checkDataset() throws {
    guard training.isOffline else {
      guard !A.onlyImitates else {
        throw InputError(
          "\(A.id) only imitates the actions of a dataset: give --dataset, or use an agent that learns by acting, such "
            + "as sac or double-dqn")
      }
      return
    }
    guard A.Settings.Experience.isOffPolicy else {
      throw InputError(
        "\(A.id) learns only from its own actions, so it cannot learn from --dataset \(training.dataset): use --agent "
          + "\(IQL.id), \(environment.spec.actionSpace.isContinuous ? TD3BC.id : DoubleDQN.id) or "
          + "\(BehaviorCloning.id)")
    }
    guard try encoder.observe == .state || Places.named(encoder.place).when != .rounds else {
      throw InputError(
        "--encoder \(encoder.place) trains the encoder every so many simulator steps, but with --dataset there are "
          + "none: use --encoder frozen")
    }
  }

  /// Opens the dataset, if there is one. A run with a checkpoint needs it no more.
  private func offlineData(resuming run: RunDirectory?) throws -> OfflineData? {
    guard training.isOffline, run?.hasCheckpoint != true else { return nil }
    let recorded = try run?.facts().inputs.first { $0.path == training.dataset }
    return try OfflineData(
      recorded?.places.first ?? training.dataset, for: A.self, in: environment.spec, episode,
      observing: encoder.observe)
  }

  /// Checks that memory can hold the frames of the replay buffer, before any frame is rendered.
  private func checkFrames(_ place: Place) throws {
    let frame = episode.blankFrame.bytes.count
    guard place.stores != .latents, training.replay > Host.memory / frame else { return }
    throw InputError(
      "--replay \(training.replay) frames of \(grouped(Double(frame))) bytes exceed this machine's memory of "
        + "\(megabytes(Host.memory)): use at most \(Host.memory / 2 / frame), or --replay 0 for as many as fit")
  }

  /// Resolves the agent's observation and the data that it learns from first.
  ///
  /// - Parameter run: The run to resume, if any.
  /// - Throws: `InputError` that says which value to use instead, `WorldError` with the path of a missing or damaged
  ///   file.
  public func prepared(resuming run: RunDirectory?, say: (String) throws -> Void) throws -> Prepared {
    try check()
    try environment.checkDistractions(episode)
    // A resumed run has its own copy of the weights.
    let saved = run == nil && !start.from.isEmpty ? try SavedAgent(path: start.from) : nil
    try saved?.check(beginning: A.id, in: environment.spec, encoder)
    let data = try offlineData(resuming: run)
    func first() throws -> Recording { try data?.recording() ?? firstData(environment, episode, seed: seed) }
    guard encoder.observe == .latent else {
      // An on-policy agent would not learn from random play.
      return try prepared(through: TrueState(environment.spec), on: data, resuming: run, beginningFrom: saved) {
        A.Settings.Experience.isOffPolicy ? try first() : nil
      }
    }
    try environment.checkRendering()
    guard let newEncoder, run == nil, saved == nil else {
      let folder =
        if let saved, newEncoder != nil { saved.run.path } else { try autoencoderFolder(of: run, say) }
      let record = try AutoencoderRecord(folder: folder)
      try record.check(environment: environment.spec.id, episode, path: folder)
      func read<Model: Autoencoder>(_ kind: Model.Type) throws -> Prepared {
        try prepared(
          with: EncoderStart.read(
            kind, from: folder, record, for: run ?? origin, isNew: newEncoder != nil, environment, episode, seed: seed),
          folder, on: data, resuming: run, beginningFrom: saved)
      }
      return try read(try Autoencoders.named(record.kind))
    }
    func new<Model: Autoencoder>(_ kind: Model.Type) throws -> Prepared {
      guard let settings = newEncoder.settings as? Model.Settings else {
        preconditionFailure("settings of \(type(of: newEncoder.settings)) for the encoder \(Model.id)")
      }
      let place = try Places.named(encoder.place)
      return try prepared(
        with: EncoderStart.new(kind, settings, place: place, on: first(), environment, episode, seed: seed), "",
        on: data, resuming: run)
    }
    return try new(newEncoder.kind)
  }

  /// The folder that the autoencoder is read from. A resumed run uses its own copy. A new run uses the folder given; if
  /// an earlier run is repeated and that folder has changed or moved, it uses the earlier run's copy.
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
        try say("WARNING: \(named) has changed since \(origin.path) was made: the results will differ")
      }
      return named
    }
    let reason =
      exists(named) ? "WARNING: \(named) has changed since \(origin.path) was made" : "\(named) does not exist"
    try say("\(reason): using \(kept) instead")
    return kept
  }

  private func prepared<Model: Autoencoder>(
    with start: EncoderStart<Model>, _ folder: String, on data: OfflineData?, resuming run: RunDirectory?,
    beginningFrom saved: SavedAgent? = nil
  ) throws -> Prepared {
    let place = try Places.named(encoder.place)
    let representation = EncodedFrames(
      start.encoder, place: place, settings: encoder, pretraining: start.pretraining, isPretrained: start.isPretrained,
      seed: seed)
    var settled = self
    if run == nil { settled.encoder.autoencoder = start.input == nil ? "" : folder }
    var probe = start.record.probe
    if !start.isPretrained, place.when == .never, run == nil, saved == nil {
      probe = try PlayedFrames(of: environment, episode, CollectionSettings()).probe(
        start.encoder, PretrainingSettings(), seed: seed
      ).probe.record
    }
    return try settled.prepared(
      through: representation, on: data, resuming: run, beginningFrom: saved, probe: place.when == .never ? probe : [],
      inputs: start.input.map { [$0] } ?? [],
      autoencoder: try start.input.map { try start.record.facts($0) } ?? start.record.newFacts,
      first: data.map { data in { try data.recording() } } ?? start.first,
      fill: start.keep)
  }

  /// - Parameters:
  ///   - recorded: Returns the data that the agent learns from first.
  ///   - fill: Writes the initial files of a new run.
  private func prepared<R: Representation>(
    through representation: R, on data: OfflineData?, resuming run: RunDirectory?, beginningFrom saved: SavedAgent?,
    probe: [AutoencoderRecord.Setting] = [],
    inputs: [RunDirectory.Input] = [], autoencoder: JSON = .null, first recorded: @escaping () throws -> Recording?,
    fill: @escaping (RunDirectory) throws -> Void = { _ in }
  ) throws -> Prepared {
    var training = training
    let layout = training.layout(latentSize: representation.latentSize, actionSpace: environment.spec.actionSpace)
    if let data { training.replay = try capacity(for: data, layout, representation.memory) }
    training.replay = training.capacity(of: representation.memory, layout)
    // A checkpoint already holds the first data.
    let isResumed = run?.hasCheckpoint ?? false
    try saved?.check(
      beginning: A(
        observationSize: layout.observationSize, actionSpace: layout.actionSpace, settings: agent, seed: seed),
      settings: agent, history: training, layout)
    func work(_ first: @autoclosure @escaping () throws -> Recording?) -> TrainingRun<E, A, R> {
      TrainingRun(
        environment, A.self, through: representation, agent: agent, episode: episode, training: training,
        first: try first(), seed: seed)
    }
    var ready = work(try recorded())
    if !isResumed {
      // Check before the first data are read, for frozen latents, or collected, for the true state.
      try ready.checkSizes()
      // A dataset may be large: it is read when the run begins, and not kept.
      if !training.isOffline {
        let first = try recorded()
        if spreadsEvaluations, let first, training.envSteps > first.environmentSteps {
          training.spreadEvaluations(over: training.envSteps - first.environmentSteps)
        }
        ready = work(first)
      }
      try ready.check()
    }
    func fillAll(_ run: RunDirectory) throws {
      try fill(run)
      try saved?.keep(in: run)
    }
    return Prepared(
      encoder: encoder, training: training,
      inputs: try inputs + (saved.map { [try $0.input] } ?? []) + (data.map { [try $0.input] } ?? []),
      autoencoder: autoencoder, probe: probe, fill: fillAll
    ) { [ready] in try ready.run(in: $0, say: $1) }
  }

  /// The size of a replay buffer that holds a whole dataset.
  private func capacity(for data: OfflineData, _ layout: HistoryLayout, _ memory: ReplayMemory) throws -> Int {
    let all = max(data.count, ReplayBuffer.leastCapacity(lanes: 1, layout: layout, memory: memory))
    guard training.replay == 0 || training.replay >= all else {
      throw InputError(
        "--replay \(training.replay) cannot hold the \(data.count) frames of \(training.dataset): leave it out")
    }
    return max(training.replay, all)
  }
}
