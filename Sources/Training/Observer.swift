import Agents
import Autoencoders
import Core
import Environments
import Pixels
import Tensors

/// What an agent sees with, as one types it.
public enum Sight: String, ChoiceSetting, Hashable {
  /// A frozen autoencoder.
  case latent
  /// The true state.
  case state
  /// The same network with random weights.
  case randomEncoder = "random-encoder"
}

/// What an agent sees with, as settings.
public struct SightSettings: SettingsGroup, Hashable {
  public var observe = Sight.latent
  /// The autoencoder's folder; empty: the newest that fits the environment and the view.
  public var autoencoder = ""

  public init() {}

  public static let title = "encoder"
  public static var fields: [Field<Self>] {
    [
      Field("observe", \.observe, "what the agent sees: latents, the true state, latents of random weights"),
      Field("autoencoder", \.autoencoder, "the autoencoder's folder; none: the newest that fits"),
    ]
  }
}

extension TrainingSettings {
  /// The defaults for an agent and what it sees with: the true state has its velocities in it, and nothing of the past is
  /// needed.
  public init<A: Agent>(for sight: Sight, _ agent: A.Type) {
    self.init()
    returnSteps = A.Settings.returnSteps
    if sight == .state { (frames, actions) = Self.ofState }
  }
}

/// What an agent is shown of an episode: a latent `[Z]` of its frame, or its true state.
public protocol Observer: Sendable, Codable {
  /// Numbers for each moment, Z.
  var latentSize: Int { get }
  /// `[N, Z]`, a row for each episode as it stands now.
  func observe<E: Environment>(_ episodes: [Episode<E>]) -> Tensor
  /// `[N, Z]`, a row for each recorded moment.
  func observe(_ recording: Recording) -> Tensor
  /// Rows of original | reconstruction | error for frames, the worst of them last; nil where nothing is reconstructed.
  func reconstructions(of frames: [PixelBuffer]) -> PixelBuffer?
  /// Learns on from all frames so far, and reports what it saw; nil where there is nothing to learn.
  mutating func retrain(on recording: Recording, seed: Seed) throws -> Metrics?
  /// The autoencoder that it sees through; nil where there is none.
  var drawing: (any LatentDrawing)? { get }
  /// Writes into a run's folder what it learned on, if it did.
  func write(to folder: String) throws
}

extension Observer {
  public func reconstructions(of frames: [PixelBuffer]) -> PixelBuffer? { nil }
  public mutating func retrain(on recording: Recording, seed: Seed) throws -> Metrics? { nil }
  public var drawing: (any LatentDrawing)? { nil }
  public func write(to folder: String) throws {}
}

/// Shows the true state: what the same agent could do with perfect eyes.
public struct StateObserver: Observer {
  public let latentSize: Int

  public init<E: Environment>(_ environment: E.Type) { latentSize = E.observationNames.count }

  public func observe<E: Environment>(_ episodes: [Episode<E>]) -> Tensor {
    Tensor(episodes.flatMap { $0.observation.map(Float.init) }, [episodes.count, latentSize])
  }

  public func observe(_ recording: Recording) -> Tensor {
    Tensor(recording.observations.map(Float.init), [recording.count, latentSize])
  }
}

/// Shows the encoder's latent of the frame. The encoder is frozen, but for rounds of retraining.
public struct LatentObserver<Model: Autoencoder>: Observer {
  public private(set) var encoder: LatentEncoder<Model>
  /// How a round of retraining goes; nil where the encoder stays as it is.
  public let retraining: PretrainingSettings?
  private var hasLearnedOn = false

  public init(_ encoder: LatentEncoder<Model>, retraining: PretrainingSettings? = nil) {
    self.encoder = encoder
    self.retraining = retraining
  }

  public var latentSize: Int { encoder.latentSize }
  public var drawing: (any LatentDrawing)? { encoder }

  public func observe<E: Environment>(_ episodes: [Episode<E>]) -> Tensor {
    encoder.encode(episodes.map(\.frame))
  }

  public func observe(_ recording: Recording) -> Tensor { encoder.encodeAll(recording) }

  // The latents' standardisation stays: the agent knows their scale.
  public mutating func retrain(on recording: Recording, seed: Seed) throws -> Metrics? {
    guard let retraining else { return nil }
    var training = Pretraining(continuing: encoder, on: recording, settings: retraining, seed: seed)
    var means = MetricsMean()
    while !training.isDone { means.add(try training.update()) }
    try requireFinite(training.encoder.model, step: training.step)
    encoder = training.encoder
    hasLearnedOn = true
    return means.take()
  }

  public func write(to folder: String) throws {
    guard hasLearnedOn else { return }
    try encoder.write(to: folder)
  }

  public func reconstructions(of frames: [PixelBuffer]) -> PixelBuffer? {
    let errors = encoder.errors(of: frames)
    let worst = frames.indices.max { errors[$0] < errors[$1] } ?? 0
    let shown = (0..<5).map { $0 * (frames.count - 1) / 4 } + [worst]
    return reconstructionGrid(
      of: shown.map { frames[$0] }, by: encoder, captions: shown.dropLast().map { "\($0)" } + ["worst \(worst)"])
  }
}
