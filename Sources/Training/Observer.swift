import Autoencoders
import Core
import Environments
import Pixels
import Tensors

/// What an agent sees with, as one types it.
public enum Sight: String, Sendable, CaseIterable {
  /// A frozen autoencoder.
  case latent
  /// The true state.
  case state
  /// The same network with random weights.
  case randomEncoder = "random-encoder"
}

/// What an agent is shown of an episode: a latent `[Z]` of its frame, or its true state.
public protocol Observer: Sendable {
  /// Numbers for each moment, Z.
  var latentSize: Int { get }
  /// `[N, Z]`, a row for each episode as it stands now.
  func observe<E: Environment>(_ episodes: [Episode<E>]) -> Tensor
  /// `[N, Z]`, a row for each recorded moment.
  func observe(_ recording: Recording) -> Tensor
  /// Rows of original | reconstruction | error for frames, the worst of them last; nil where nothing is reconstructed.
  func reconstructions(of frames: [PixelBuffer]) -> PixelBuffer?
}

extension Observer {
  public func reconstructions(of frames: [PixelBuffer]) -> PixelBuffer? { nil }
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

/// Shows the frozen encoder's latent of the frame.
public struct LatentObserver<Model: Autoencoder>: Observer {
  public var encoder: LatentEncoder<Model>
  public init(_ encoder: LatentEncoder<Model>) { self.encoder = encoder }

  public var latentSize: Int { encoder.latentSize }

  public func observe<E: Environment>(_ episodes: [Episode<E>]) -> Tensor {
    encoder.encode(episodes.map(\.frame))
  }

  public func observe(_ recording: Recording) -> Tensor { encoder.encodeAll(recording) }

  public func reconstructions(of frames: [PixelBuffer]) -> PixelBuffer? {
    let errors = encoder.errors(of: frames)
    let worst = frames.indices.max { errors[$0] < errors[$1] } ?? 0
    let shown = (0..<5).map { $0 * (frames.count - 1) / 4 } + [worst]
    return reconstructionGrid(
      of: shown.map { frames[$0] }, by: encoder, captions: shown.dropLast().map { "\($0)" } + ["worst \(worst)"])
  }
}
