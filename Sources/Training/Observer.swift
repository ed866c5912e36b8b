import Autoencoders
import Core
import Environments
import Pixels
import Tensors

/// What an agent is shown of an episode: a latent `[Z]` of its frame, or its true state.
public protocol Observer: Sendable {
  /// Numbers for each moment, Z.
  var latentSize: Int { get }
  /// `[N, Z]`, a row for each episode as it stands now.
  func observe<E: Environment>(_ episodes: [Episode<E>]) -> Tensor
}

/// Shows the true state: what the same agent could do with perfect eyes.
public struct StateObserver: Observer {
  public let latentSize: Int

  public init<E: Environment>(_ environment: E.Type) { latentSize = E.observationNames.count }

  public func observe<E: Environment>(_ episodes: [Episode<E>]) -> Tensor {
    Tensor(episodes.flatMap { $0.observation.map(Float.init) }, [episodes.count, latentSize])
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
}
