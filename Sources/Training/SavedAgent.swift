import Agents
import Autoencoders
import Core
import Environments
import Networks
import Replay
import Runs
import Tensors

/// An agent that a training left in its run's folder: its weights as of the last evaluation, and what it needs to see
/// with. The training may have been interrupted since, or be going on.
public struct SavedAgent: Sendable {
  public let run: RunDirectory
  public let facts: RunDirectory.Facts
  /// How its episodes were played.
  public let episode: EpisodeSettings
  public let training: TrainingSettings
  public let sight: Sight
  /// The folder of the autoencoder that it sees through; empty for the true state.
  public let autoencoder: String
  /// Simulator steps that the agent had learned for.
  public let step: Int
  private let settings: SettingsFile
  private let tensors: [(name: String, value: Tensor)]

  /// The file of the agent's weights in a run's folder, as of the last evaluation.
  static let weights = "agent.safetensors"

  /// - Throws: `InputError` where the folder is no training that was evaluated, `WorldError` with the path of a damaged
  ///   file.
  public init(path folder: String) throws {
    run = try RunDirectory(existing: folder)
    facts = try run.facts()
    guard facts.command == "train" else {
      throw InputError(
        "\(folder) is a run of 'pixelrl \(facts.command)', which leaves no agent: give one of 'pixelrl train'")
    }
    let path = run.file(Self.weights)
    guard exists(path) else {
      throw InputError("\(run.path) has no \(Self.weights) yet: the first evaluation writes it")
    }
    let file = try Safetensors(weightsAt: path)
    tensors = file.tensors
    guard let step = file.metadata.first(where: { $0.key == "step" }).flatMap({ Int($0.value) }) else {
      throw WorldError(path: path, "is damaged: it does not say after how many steps it was written")
    }
    self.step = step
    settings = try run.settings()
    var (episode, training, sight) = (EpisodeSettings(), TrainingSettings(), SightSettings())
    try settings.apply("environment", to: &episode)
    try settings.apply("training", to: &training)
    try settings.apply("encoder", to: &sight)
    (self.episode, self.training) = (episode, training)
    self.sight = sight.observe
    autoencoder = sight.observe == .state ? "" : try AutoencoderRecord.folder(of: run)
  }

  /// The agent with deterministic actions.
  ///
  /// - Parameter played: how the episodes are played in which it shall act.
  /// - Throws: `InputError` where it learned another environment or another view of it, `WorldError` with the path of what
  ///   is missing, damaged or does not fit.
  public func policy(in environment: some Environment, _ played: EpisodeSettings) throws -> any Policy {
    guard facts.environment == environment.spec.id else {
      throw InputError("\(run.path) learned \(facts.environment): give --env \(facts.environment)")
    }
    let views = zip(AutoencoderRecord.view(of: episode), AutoencoderRecord.view(of: played))
    for (mine, asked) in views where mine != asked && sight != .state {
      throw InputError("\(run.path) saw frames with --\(mine.key) \(mine.text), not \(asked.text): give the same")
    }
    return try player(in: environment, seed: Seed(facts.seed)).policy
  }

  /// The agent with all that it plays with.
  ///
  /// - Parameter seed: what sampled actions are drawn from.
  /// - Throws: `WorldError` with the path of what is missing, damaged or does not fit.
  public func player(seed: Seed) throws -> any Player {
    try player(in: try Environments.named(facts.environment, timeout: episode.gymTimeout), seed: seed)
  }

  private func player(in environment: some Environment, seed: Seed) throws -> any Player {
    try player(environment, try Agents.named(facts.member), seed)
  }

  private func player<E: Environment, A: Agent>(
    _ environment: E, _ kind: A.Type, _ seed: Seed
  ) throws -> any Player {
    guard sight != .state else {
      return try player(environment, A.self, through: StateObserver(environment.spec), seed)
    }
    let record = try AutoencoderRecord(folder: autoencoder)
    return try player(environment, A.self, try Autoencoders.named(record.kind), autoencoder, record, seed)
  }

  private func player<E: Environment, A: Agent, Model: Autoencoder>(
    _ environment: E, _ agent: A.Type, _ kind: Model.Type, _ folder: String, _ record: AutoencoderRecord,
    _ seed: Seed
  ) throws -> any Player {
    // A run that trained the autoencoder further, or drew random weights, has its own.
    let hasOwn = AutoencoderRecord.hasOwnWeights(run)
    var encoder = try LatentEncoder<Model>(folder: hasOwn ? run.path : folder, record: record)
    if sight == .randomEncoder, !hasOwn {
      let first = try record.recording(of: folder, environment.spec, episode)
      encoder = try encoder.randomized(on: first, seed: Seed(facts.seed))
    }
    return try player(environment, A.self, through: LatentObserver(encoder), seed)
  }

  private func player<E: Environment, A: Agent, O: Observer>(
    _ environment: E, _ kind: A.Type, through observer: O, _ seed: Seed
  ) throws -> any Player {
    var own = A.Settings()
    try settings.apply("agent", to: &own)
    let layout = training.layout(latentSize: observer.latentSize, actionSpace: environment.spec.actionSpace)
    var agent = A(
      observationSize: layout.observationSize, actionSpace: layout.actionSpace, settings: own, seed: seed)
    do { try agent.load(tensors) } catch let error as InputError {
      throw WorldError(path: run.file(Self.weights), error.description)
    }
    return TrainedPlayer(
      environment: environment, agent: agent, observer: observer, layout: layout, episode: episode, training: training)
  }
}

/// An agent that acts for the best, through what it learned to see with.
struct TrainedPolicy<A: Agent, O: Observer>: Policy {
  private var agent: A
  private let observer: O
  private var history: History
  /// What was done since the last look.
  private var lastAction: Tensor?

  init(agent: A, observer: O, layout: HistoryLayout) {
    self.agent = agent
    self.observer = observer
    history = History(layout)
  }

  mutating func begin<E: Environment>(_ episode: Episode<E>) throws {
    try observer.observe([episode]).withElements { history.begin(with: $0) }
    lastAction = nil
  }

  mutating func act<E: Environment>(in episode: Episode<E>) throws -> [Double] {
    if let lastAction {
      try observer.observe([episode]).withElements { latent in
        lastAction.withElements { history.append(action: $0, latent: latent) }
      }
    }
    let layout = history.layout
    let observation = Tensor([1, layout.observationSize], of: Float.self) { history.write(into: &$0, at: 0) }
    let action = agent.act(observation, .exploit)  // [1, A]
    lastAction = action
    return action.withElements { layout.actionSpace.denormalized($0) }
  }
}
