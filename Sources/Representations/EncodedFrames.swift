import Agents
import Autoencoders
import Core
import Networks
import Pixels
import Replay
import Tensors

/// Latents of an encoder that learns as its place says: at the agent's updates, in rounds between them, or never.
public struct EncodedFrames<Model: Autoencoder>: Representation {
  public internal(set) var encoder: LatentEncoder<Model>
  public let place: Place
  let settings: EncoderSettings
  /// The settings of the reconstruction loss and of the training in a round.
  let pretraining: PretrainingSettings
  let seed: Seed
  /// The optimiser of the model's parameters; nil if the encoder is not trained at the agent's updates.
  var optimizer: Adam?
  /// The target encoder, for target critics; nil: they use the encoder itself.
  var target: Model?
  /// Whether the encoder was pretrained.
  let isPretrained: Bool
  /// The generator of the shifts.
  var random: Random
  var updates = 0
  public internal(set) var revision = 0
  /// When the next round is due.
  var roundIsDue: Every
  /// The number of rounds so far.
  var rounds = 0

  /// - Parameters:
  ///   - pretraining: the settings that the encoder was pretrained with, or would be.
  ///   - isPretrained: whether the encoder was pretrained.
  ///   - hasMoved: whether an agent's training changed the encoder.
  ///   - seed: the seed of the run, for rounds and shifts.
  public init(
    _ encoder: LatentEncoder<Model>, place: Place, settings: EncoderSettings = EncoderSettings(),
    pretraining: PretrainingSettings = PretrainingSettings(), isPretrained: Bool = true,
    hasMoved: Bool = false, seed: Seed
  ) {
    revision = hasMoved ? 1 : 0
    self.isPretrained = isPretrained
    self.encoder = encoder
    self.place = place
    self.settings = settings
    self.pretraining = pretraining
    self.seed = seed
    random = seed.stream("shifts")
    if place.when == .eachUpdate {
      optimizer = Adam(of: encoder.model, learningRate: settings.learningRate)
      if place.losses.contains(.critic), settings.tau < 1 { target = encoder.model }
    }
    roundIsDue = Every(place.when == .rounds ? settings.retrainEvery : 0)
  }

  public var latentSize: Int { encoder.latentSize }
  public var frameStack: Int { encoder.frameStack }

  public var memory: ReplayMemory {
    let frameSize = encoder.preparation.shape.count
    return switch place.stores {
    case .latents: .latents
    case .frames: .frames(of: frameSize, stack: encoder.frameStack)
    case .latentsAndFrames: .latentsAndFrames(of: frameSize, stack: encoder.frameStack)
    }
  }

  public var graph: Graph? { encoder.graph }

  public func latents(of moments: [Moment]) -> Tensor { encoder.encode(moments.flatMap(\.frames)) }
  public func latents(of recording: Recording) -> Tensor { encoder.encodeAll(recording) }
  public func latents(of frames: ReplayFrames) -> Tensor { encoder.encodeAll(frames) }

  /// Whether the decoder has been trained, so that its output is meaningful.
  public var hasTrainedDecoder: Bool {
    Model.hasDecoder && (isPretrained || place.losses.contains(.reconstruction) && hasMoved)
  }

  /// Whether the agent's training has changed the encoder.
  public var hasMoved: Bool { revision > 0 }

  public mutating func begin(at step: Int) { roundIsDue = Every(roundIsDue.period, from: step) }

  public func requireFinite(step: Int) throws {
    if hasMoved { try Representations.requireFinite(encoder.model, step: step) }
  }
}
