import Agents
import Autoencoders
import Core
import Environments
import Formats
import Networks
import Replay
import Representations
import Runs
import Tensors

/// The agent saved in the run directory of a training: its weights at the last evaluation, and what it needs to
/// observe. The training may be finished, interrupted or still running.
public struct SavedAgent: Sendable {
  public let run: RunDirectory
  public let facts: RunDirectory.Facts
  /// The settings of its episodes.
  public let episode: EpisodeSettings
  public let training: TrainingSettings
  public let encoder: EncoderSettings
  /// The folder of its autoencoder; empty for the true state.
  public let autoencoder: String
  /// The number of simulator steps that the agent was trained for.
  public let step: Int
  private let settings: SettingsFile
  let tensors: [(name: String, value: Tensor)]

  /// The file in a run directory with the agent's weights at the last evaluation.
  static let weights = "agent.safetensors"

  /// - Throws: `InputError` if the folder is not a training that was evaluated, `WorldError` with the path of a damaged
  ///   file.
  public init(path folder: String) throws {
    run = try RunDirectory(existing: folder)
    facts = try run.facts()
    guard facts.command == "train" else {
      throw InputError(
        "\(folder) is a run of 'pixelrl \(facts.command)', which has no agent: use a run of 'pixelrl train'")
    }
    let path = run.file(Self.weights)
    guard exists(path) else {
      throw InputError(
        "\(run.path) has no agent yet, which the first evaluation after the start writes: continue it with 'pixelrl train "
          + "--resume \(run.path)'")
    }
    let file = try Safetensors(weightsAt: path)
    tensors = file.tensors
    guard let step = file.metadata.first(where: { $0.key == "step" }).flatMap({ Int($0.value) }) else {
      throw WorldError(path: path, "is damaged: its metadata lacks the step")
    }
    self.step = step
    settings = try run.settings()
    var (episode, training, encoder) = (EpisodeSettings(), TrainingSettings(), EncoderSettings())
    try settings.apply(to: &episode)
    try settings.apply(to: &training)
    try settings.apply(to: &encoder)
    (self.episode, self.training) = (episode, training)
    self.encoder = encoder
    autoencoder = encoder.observe == .state ? "" : try AutoencoderRecord.folder(of: run)
  }

  /// Returns the policy with deterministic actions.
  ///
  /// - Parameter played: The settings of the episodes in which it will act.
  /// - Throws: `InputError` if it was trained in another environment or with other view settings, `WorldError` with the
  ///   path of a file that is missing, damaged or does not fit.
  public func policy(in environment: some Environment, _ played: EpisodeSettings) throws -> any Policy {
    guard facts.environment == environment.spec.id else {
      throw InputError("\(run.path) was trained in \(facts.environment): use --env \(facts.environment)")
    }
    let views = zip(AutoencoderRecord.view(of: episode), AutoencoderRecord.view(of: played))
    for (mine, asked) in views where mine != asked && encoder.observe != .state {
      throw InputError(
        "\(run.path) was trained with \(mine.flag), not \(asked.flag): use \(mine.flag)")
    }
    return try player(in: environment, seed: Seed(facts.seed)).policy
  }

  /// Returns the agent with everything it needs to act.
  ///
  /// - Parameter seed: The seed of sampled actions.
  /// - Throws: `WorldError` with the path of a file that is missing, damaged or does not fit.
  public func player(seed: Seed) throws -> any Player {
    try player(in: try Environments.named(facts.environment, timeout: episode.gymTimeout), seed: seed)
  }

  private func player(in environment: some Environment, seed: Seed) throws -> any Player {
    try player(environment, try Agents.named(facts.member), seed)
  }

  private func player<E: Environment, A: Agent>(
    _ environment: E, _ kind: A.Type, _ seed: Seed
  ) throws -> any Player {
    guard encoder.observe != .state else {
      return try player(environment, A.self, through: TrueState(environment.spec), seed)
    }
    let record = try AutoencoderRecord(folder: autoencoder)
    return try player(environment, A.self, try Autoencoders.named(record.kind), autoencoder, record, seed)
  }

  private func player<E: Environment, A: Agent, Model: Autoencoder>(
    _ environment: E, _ agent: A.Type, _ kind: Model.Type, _ folder: String, _ record: AutoencoderRecord,
    _ seed: Seed
  ) throws -> any Player {
    // A run that trained its encoder has its own weights.
    let hasOwn = AutoencoderRecord.hasOwnWeights(run)
    let latents = try LatentEncoder<Model>(folder: hasOwn ? run.path : folder, record: record)
    let place = try Places.named(encoder.place)
    return try player(
      environment, A.self,
      through: EncodedFrames(
        latents, place: place, settings: encoder, isPretrained: !encoder.autoencoder.isEmpty, hasMoved: hasOwn,
        seed: Seed(facts.seed)), seed)
  }

  /// The settings of the agent.
  func agentSettings<A: Agent>(of kind: A.Type) throws -> A.Settings {
    var own = A.Settings()
    try settings.apply(to: &own)
    return own
  }

  private func player<E: Environment, A: Agent, R: Representation>(
    _ environment: E, _ kind: A.Type, through representation: R, _ seed: Seed
  ) throws -> any Player {
    let own = try agentSettings(of: A.self)
    let layout = training.layout(latentSize: representation.latentSize, actionSpace: environment.spec.actionSpace)
    var agent = A(
      observationSize: layout.observationSize, actionSpace: layout.actionSpace, settings: own, seed: seed)
    do { try agent.load(tensors) } catch let error as InputError {
      throw WorldError(path: run.file(Self.weights), error.description)
    }
    return TrainedPlayer(
      environment: environment, agent: agent, representation: representation, layout: layout, episode: episode,
      training: training)
  }
}

/// A policy that acts with an agent's deterministic actions in a given episode.
struct TrainedPolicy<A: Agent, R: Representation>: Policy {
  private var agent: A
  private let representation: R
  private var lane: Lane
  /// The action taken since the last observation, `[1, A]`.
  private var lastAction: Tensor?

  init(agent: A, representation: R, layout: HistoryLayout) {
    self.agent = agent
    self.representation = representation
    lane = Lane(layout)
  }

  mutating func begin<E: Environment>(_ episode: Episode<E>) throws {
    try latent(of: episode).withElements { lane.begin(with: $0) }
    lastAction = nil
  }

  mutating func act<E: Environment>(in episode: Episode<E>) throws -> [Double] {
    if let lastAction {
      try latent(of: episode).withElements { latent in
        lastAction.withElements { lane.append(action: $0, latent: latent) }
      }
    }
    let layout = lane.history.layout
    let observation = Tensor([1, layout.observationSize], of: Float.self) { lane.history.write(into: &$0, at: 0) }
    let action = agent.act(observation, .exploit)  // [1, A]
    lastAction = action
    return action.withElements { layout.actionSpace.denormalized($0) }
  }

  private mutating func latent<E: Environment>(of episode: Episode<E>) throws -> Tensor {
    representation.latents(of: [try lane.look(at: episode, stack: representation.frameStack)])
  }
}
