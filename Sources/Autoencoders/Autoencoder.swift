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
  /// The shape of so many frames that are seen together.
  public func stacked(_ frames: Int) -> FrameShape {
    FrameShape(height: height, width: width, channels: frames * channels)
  }
  public var description: String { "\(width)x\(height)x\(channels)" }
}

/// A network that compresses a frame into a latent and, where it has a decoder, draws the frame again from it.
///
/// One new file and one line in `Autoencoders.all` add a member; the contract tests then run over it. The loop that trains
/// it, the preparation of frames and the standardisation of latents are shared. Steps against the gradient of
/// `meanSquared(decode(encode(x)) - x) + penalty(encode(x))` teach it, and this gradient reaches each of its parameters; without
/// a decoder, those of any loss of the latents.
///
/// Shapes: B batch, C channels, H height, W width, Z latent size.
public protocol Autoencoder: Module {
  associatedtype Settings: AutoencoderSettings

  /// What one types.
  static var id: String { get }
  /// One sentence for the catalog, with the paper.
  static var note: String { get }
  /// Whether there is a decoder. Without one a kind is not pretrained: it learns from who looks at its latents.
  static var hasDecoder: Bool { get }

  /// - Parameters:
  ///   - frame: of any size; every kind takes sides of 24 or more that are multiples of 4.
  ///   - isBackgroundTakenAway: whether the frames come without what never changes in them, so that where nothing moves there
  ///     is nothing to draw.
  ///   - random: what the weights are drawn from, and nothing else.
  /// - Throws: `InputError` with the size in it, such as 15x15, if the kind cannot take frames of it.
  init(frame: FrameShape, isBackgroundTakenAway: Bool, settings: Settings, using random: inout Random) throws

  var settings: Settings { get }
  /// Numbers of a latent, Z.
  var latentSize: Int { get }
  /// Prepared frames `[B, C, H, W]` to latents `[B, Z]`, each its frame's alone.
  func encode(_ x: Tensor) -> Tensor
  /// Latents `[B, Z]` to reconstructions `[B, C, H, W]`. Traps without a decoder.
  func decode(_ z: Tensor) -> Tensor
  /// What the loss adds to the reconstruction's error, a scalar of at least 0.
  func penalty(_ z: Tensor) -> Tensor
  /// Where in the frame each of the latents `[B, Z]` says that something is: as many places for each, x and y as parts of
  /// the frame's width and height from its upper left corner; nil for a kind whose latents are no places.
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

  /// Throws `InputError` where there is no decoder.
  public static func requireDecoder() throws {
    guard !hasDecoder else { return }
    let kinds = Autoencoders.all.filter { $0.hasDecoder }.map { $0.id }.joined(separator: " or ")
    throw InputError(
      "the kind \(id) has no decoder, which pretraining and pictures need: give --kind \(kinds); \(id) is for "
        + "'pixelrl train --encoder critic-only' or 'augmented'")
  }

  /// For frames without their background.
  public init(frame: FrameShape, settings: Settings, using random: inout Random) throws {
    try self.init(frame: frame, isBackgroundTakenAway: true, settings: settings, using: &random)
  }
}

/// The members, by what one types.
public enum Autoencoders {
  public static let all: [any Autoencoder.Type] = [
    KeypointAutoencoder.self, RegularizedAutoencoder.self, ConvolutionalEncoder.self,
  ]

  public static func named(_ id: String) throws -> any Autoencoder.Type {
    guard let kind = all.first(where: { $0.id == id }) else {
      throw InputError.unknown("autoencoder", id, known: all.map { $0.id })
    }
    return kind
  }
}

/// Which kind of autoencoder, as a setting.
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
