import Agents
import Autoencoders
import Core
import Networks
import Pixels
import Replay
import Tensors

/// Latents of an encoder that learns where its place says: beside the agent's updates, in rounds between them, or never.
public struct EncodedFrames<Model: Autoencoder>: Representation {
  public internal(set) var encoder: LatentEncoder<Model>
  public let place: Place
  let settings: EncoderSettings
  /// How the encoder is trained on frames: the loss of the reconstruction, and a round's training.
  let pretraining: PretrainingSettings
  let seed: Seed
  /// Of the model's parameters; nil where no update moves them.
  var optimizer: Adam?
  /// The encoder as the target critics see through it; nil: they see through the encoder itself.
  var target: Model?
  /// Whether the encoder was trained before the agent began.
  let isPretrained: Bool
  /// What shifts are drawn from.
  var random: Random
  var updates = 0
  public internal(set) var revision = 0
  /// When rounds are due, and how many there were.
  var roundIsDue: Every
  var rounds = 0

  /// - Parameters:
  ///   - pretraining: how the encoder was trained, or would be.
  ///   - isPretrained: whether it was trained before the agent begins.
  ///   - hasMoved: whether it is what an agent's training made of it.
  ///   - seed: of the run: rounds and shifts draw from it.
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
      if place.teachers.contains(.critic), settings.tau < 1 { target = encoder.model }
    }
    roundIsDue = Every(place.when == .rounds ? settings.retrainEvery : 0)
  }

  public var latentSize: Int { encoder.latentSize }
  public var frameStack: Int { encoder.frameStack }

  public var memory: ReplayMemory {
    let frameSize = encoder.preparation.shape.count
    return switch place.keeps {
    case .latents: .latents
    case .frames: .frames(of: frameSize, stack: encoder.frameStack)
    case .latentsAndFrames: .latentsAndFrames(of: frameSize, stack: encoder.frameStack)
    }
  }

  public func latents(of moments: [Moment]) -> Tensor { encoder.encode(moments.flatMap(\.frames)) }
  public func latents(of recording: Recording) -> Tensor { encoder.encodeAll(recording) }
  public func latents(of frames: ReplayFrames) -> Tensor { encoder.encodeAll(frames) }

  /// Whether what the decoder draws means anything: it was taught, at some time.
  public var hasTaughtDecoder: Bool {
    Model.hasDecoder && (isPretrained || place.teachers.contains(.reconstruction) && hasMoved)
  }

  /// Whether the encoder has moved since the agent's training began.
  public var hasMoved: Bool { revision > 0 }

  public mutating func begin(at step: Int) { roundIsDue = Every(roundIsDue.period, from: step) }

  public func requireFinite(step: Int) throws {
    if hasMoved { try Representations.requireFinite(encoder.model, step: step) }
  }
}
