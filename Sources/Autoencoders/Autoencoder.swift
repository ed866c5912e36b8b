import Core
import Pixels
import Tensors

/// The size of the frames that an autoencoder is built for.
public struct FrameShape: Sendable, Hashable, Codable, CustomStringConvertible {
  public var height: Int
  public var width: Int
  public var channels: Int

  public init(height: Int, width: Int, channels: Int) {
    self.height = height
    self.width = width
    self.channels = channels
  }

  public var count: Int { height * width * channels }
  /// Returns the shape of `frames` stacked frames.
  public func stacked(_ frames: Int) -> FrameShape {
    FrameShape(height: height, width: width, channels: frames * channels)
  }
  public var description: String { "\(width)x\(height)x\(channels)" }

  /// Returns the value of `--size` for frames whose sides are changed to accepted ones.
  func sizeText(_ accepted: (Int) -> Int) -> String {
    FrameSize(width: accepted(width), height: accepted(height)).text
  }
}

/// A network that encodes a frame into a latent and, if it has a decoder, reconstructs the frame from the latent.
///
/// To add a kind, write one new file and add one line to `Autoencoders.catalog`; the contract tests then cover it. The
/// training loop, the preparation of frames and the standardisation of latents are shared. The network is trained by
/// gradient descent on `meanSquared(decode(encode(x)) - x) + penalty(encode(x))`, whose gradient must reach every
/// parameter. Without a decoder, the gradient of any loss of the latents must do so.
///
/// Shapes: B batch, C channels, H height, W width, Z latent size.
public protocol Autoencoder: Module {
  associatedtype Settings: AutoencoderSettings

  /// The name on the command line.
  static var id: String { get }
  /// One sentence for the catalog, with the paper.
  static var note: String { get }
  /// Whether there is a decoder. A kind without one cannot be pretrained: it learns only from the critic.
  static var hasDecoder: Bool { get }

  /// - Parameters:
  ///   - frame: the size of the frames. Every kind accepts sides of 24 or more that are multiples of 4.
  ///   - isBackgroundSubtracted: whether the background is subtracted from the frames, so that they are 0 where nothing
  ///     moves.
  ///   - random: the generator of the initial weights.
  /// - Throws: `InputError` that contains the size, such as 15x15, if the kind does not support it.
  init(frame: FrameShape, isBackgroundSubtracted: Bool, settings: Settings, using random: inout Random) throws

  var settings: Settings { get }
  /// The size of a latent, Z.
  var latentSize: Int { get }
  /// Encodes prepared frames `[B, C, H, W]` to latents `[B, Z]`. Each latent depends only on its frame.
  func encode(_ x: Tensor) -> Tensor
  /// Decodes latents `[B, Z]` to reconstructions `[B, C, H, W]`. Traps if there is no decoder.
  func decode(_ z: Tensor) -> Tensor
  /// The term that the loss adds to the reconstruction error, a scalar of at least 0.
  func penalty(_ z: Tensor) -> Tensor
  /// Returns the keypoints that latents `[B, Z]` encode, the same number for each latent. x and y are fractions of the
  /// frame's width and height from its upper left corner. Returns nil for a kind without keypoints.
  func keypoints(of z: Tensor) -> [[Point]]?
}

/// The settings of a kind of autoencoder.
public protocol AutoencoderSettings: SettingsGroup {}

extension AutoencoderSettings {
  public static var title: String { "encoder" }
}

extension Autoencoder {
  public static var hasDecoder: Bool { true }
  public func keypoints(of z: Tensor) -> [[Point]]? { nil }

  /// Throws `InputError` if there is no decoder.
  public static func requireDecoder() throws {
    guard !hasDecoder else { return }
    let kinds = Autoencoders.all.filter { $0.hasDecoder }.map { $0.id }.joined(separator: " or ")
    throw InputError(
      "the kind \(id) has no decoder, which pretraining and reconstructions need: use --kind \(kinds); \(id) is for "
        + "'pixelrl train --encoder critic-only' or 'augmented'")
  }

  /// Creates an autoencoder for frames whose background is subtracted.
  public init(frame: FrameShape, settings: Settings, using random: inout Random) throws {
    try self.init(frame: frame, isBackgroundSubtracted: true, settings: settings, using: &random)
  }
}

/// All kinds of autoencoders.
public enum Autoencoders {
  public static let catalog = Catalog<any Autoencoder.Type>(
    of: "autoencoder", [KeypointAutoencoder.self, RegularizedAutoencoder.self, ConvolutionalEncoder.self]
  ) { $0.id }

  public static var all: [any Autoencoder.Type] { catalog.all }

  public static func named(_ id: String) throws -> any Autoencoder.Type { try catalog.named(id) }
}

/// The setting that selects the kind of autoencoder.
public struct AutoencoderChoice: SettingsGroup, Hashable {
  public var kind = KeypointAutoencoder.id

  public init() {}

  public static let title = "encoder"
  public static var fields: [Field<Self>] {
    [
      Field(
        "kind", \.kind, kind: "autoencoder", among: Autoencoders.all.map { $0.id }, "the kind of autoencoder")
    ]
  }
}
