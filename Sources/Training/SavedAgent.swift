import Agents
import Autoencoders
import Core
import Environments
import Networks
import Replay
import Runs
import Tensors

/// An agent that a finished training left in its run's folder: its weights, and what it needs to see with.
public struct SavedAgent: Sendable {
  public let run: RunDirectory
  public let facts: RunDirectory.Facts
  /// How its episodes were played.
  public let episode: EpisodeSettings
  private let settings: SettingsFile
  private let training: TrainingSettings
  private let sight: Sight
  private let autoencoder: String

  /// The file of the agent's weights in a run's folder, as of the last evaluation.
  static let weights = "agent.safetensors"

  /// - Throws: `InputError` where the folder is no finished training, `WorldError` with the path of a damaged file.
  public init(path: String) throws {
    run = try RunDirectory(existing: path)
    facts = try run.facts()
    guard facts.command == "train" else {
      throw InputError(
        "\(path) is a run of 'pixelrl \(facts.command)', which leaves no agent: give one of 'pixelrl train'")
    }
    guard run.isFinished else {
      throw InputError("\(path) did not reach its end: give a finished run of 'pixelrl train'")
    }
    settings = try run.settings()
    var (episode, training, sight) = (EpisodeSettings(), TrainingSettings(), SightSettings())
    try settings.apply("environment", to: &episode)
    try settings.apply("training", to: &training)
    try settings.apply("encoder", to: &sight)
    (self.episode, self.training) = (episode, training)
    self.sight = sight.observe
    autoencoder = sight.autoencoder
  }

  /// The agent with deterministic actions.
  ///
  /// - Parameter played: how the episodes are played in which it shall act.
  /// - Throws: `InputError` where it learned another environment or another view of it, `WorldError` with the path of what
  ///   is missing, damaged or does not fit.
  public func policy<E: Environment>(in environment: E.Type, _ played: EpisodeSettings) throws -> any Policy {
    guard facts.environment == E.id else {
      throw InputError("\(run.path) learned \(facts.environment): give --env \(facts.environment)")
    }
    let views = zip(AutoencoderRecord.view(of: episode), AutoencoderRecord.view(of: played))
    for (mine, asked) in views where mine != asked && sight != .state {
      throw InputError("\(run.path) saw frames with --\(mine.key) \(mine.text), not \(asked.text): give the same")
    }
    return try policy(E.self, try Agents.named(facts.member))
  }

  private func policy<E: Environment, A: Agent>(_ environment: E.Type, _ kind: A.Type) throws -> any Policy {
    guard sight != .state else { return try policy(E.self, A.self, through: StateObserver(E.self)) }
    let record = try AutoencoderRecord(folder: autoencoder)
    return try policy(E.self, A.self, try Autoencoders.named(record.kind), autoencoder, record)
  }

  private func policy<E: Environment, A: Agent, Model: Autoencoder>(
    _ environment: E.Type, _ agent: A.Type, _ kind: Model.Type, _ folder: String, _ record: AutoencoderRecord
  ) throws -> any Policy {
    // A run that trained the autoencoder further has weights of its own.
    let hasOwn = exists(run.file(AutoencoderRecord.weights))
    var encoder = try LatentEncoder<Model>(folder: hasOwn ? run.path : folder, record: record)
    if sight == .randomEncoder {
      let first = try record.recording(of: folder, E.self, episode)
      encoder = try encoder.randomized(on: first, seed: Seed(facts.seed))
    }
    return try policy(E.self, A.self, through: LatentObserver(encoder))
  }

  private func policy<E: Environment, A: Agent, O: Observer>(
    _ environment: E.Type, _ kind: A.Type, through observer: O
  ) throws -> any Policy {
    var own = A.Settings()
    try settings.apply("agent", to: &own)
    let layout = training.layout(latentSize: observer.latentSize, actionSpace: E.actionSpace)
    var agent = A(
      observationSize: layout.observationSize, actionSpace: E.actionSpace, settings: own, seed: Seed(facts.seed))
    let path = run.file(Self.weights)
    do { try agent.load(try Safetensors(contentsOf: path).tensors) } catch let error as InputError {
      throw WorldError(path: path, error.description)
    }
    return TrainedPolicy(agent: agent, observer: observer, layout: layout)
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

  mutating func begin<E: Environment>(_ episode: Episode<E>) {
    observer.observe([episode]).withElements { history.begin(with: $0) }
    lastAction = nil
  }

  mutating func act<E: Environment>(in episode: Episode<E>) -> [Double] {
    if let lastAction {
      observer.observe([episode]).withElements { latent in
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
