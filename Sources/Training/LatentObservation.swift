import Autoencoders
import Core
import Environments
import Pixels
import Replay
import Tensors

/// What an agent observes of an episode through a pretrained autoencoder: the history of its last latents and actions, as
/// `HistoryLayout` describes it.
public struct LatentObservation: Sendable {
  private let encode: @Sendable (_ stack: [PixelBuffer]) -> Tensor
  private let stack: Int
  private var lane: Lane

  /// - Parameters:
  ///   - folder: a run of 'pixelrl pretrain-ae', or of a training with latents.
  ///   - settings: the settings of the episodes.
  ///   - training: its `frames`, `actions` and `differenceScale` apply.
  /// - Throws: `InputError` if the autoencoder was made for another environment or other frames, `WorldError` with the
  ///   path of a file that is missing or damaged.
  public init(
    autoencoder folder: String, of spec: EnvironmentSpec, _ settings: EpisodeSettings, _ training: TrainingSettings
  ) throws {
    let record = try AutoencoderRecord(folder: folder)
    try record.check(environment: spec.id, settings, path: folder)
    self = try Self.through(try Autoencoders.named(record.kind), folder, record, spec, training)
  }

  private static func through<Model: Autoencoder>(
    _ kind: Model.Type, _ folder: String, _ record: AutoencoderRecord, _ spec: EnvironmentSpec,
    _ training: TrainingSettings
  ) throws -> LatentObservation {
    let encoder = try LatentEncoder<Model>(folder: folder, record: record)
    let layout = training.layout(latentSize: encoder.latentSize, actionSpace: spec.actionSpace)
    return LatentObservation(encoder, layout)
  }

  private init(_ encoder: LatentEncoder<some Autoencoder>, _ layout: HistoryLayout) {
    encode = { encoder.encode($0) }
    stack = encoder.frameStack
    lane = Lane(layout)
  }

  /// The size of an observation, O.
  public var size: Int { lane.history.layout.observationSize }

  /// Returns the observation `[O]` at the start of an episode.
  public mutating func begin<E: Environment>(_ episode: Episode<E>) throws -> [Float] {
    try latent(of: episode).withElements { lane.begin(with: $0) }
    return observation
  }

  /// Returns the observation `[O]` after an action in the environment's units.
  public mutating func append<E: Environment>(_ action: [Double], _ episode: Episode<E>) throws -> [Float] {
    let space = lane.history.layout.actionSpace
    // The environment clips an action to its box: the history holds what was done.
    let taken = space.normalized(action).map { space.isContinuous ? min(max($0, -1), 1) : $0 }
    try latent(of: episode).withElements { lane.append(action: taken.span, latent: $0) }
    return observation
  }

  private mutating func latent<E: Environment>(of episode: Episode<E>) throws -> Tensor {
    encode(try lane.look(at: episode, stack: stack).frames)
  }

  private var observation: [Float] {
    Tensor([size], of: Float.self) { lane.history.write(into: &$0, at: 0) }.array
  }
}

extension AutoencoderRecord {
  /// The settings with which the frames of this autoencoder were made.
  ///
  /// - Throws: `InputError` if a setting does not exist any more.
  public func applied(to settings: EpisodeSettings) throws -> EpisodeSettings {
    var settings = settings
    for setting in view { try settings.set(setting.key, to: setting.text) }
    return settings
  }
}
