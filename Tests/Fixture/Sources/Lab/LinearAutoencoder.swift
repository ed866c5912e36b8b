import Autoencoders
import Core
import Networks
import Tensors

/// A linear encoder and decoder, which learn to span the frames' principal components (Bourlard and Kamp 1988).
///
/// Letters: B batch, C channels, H W image, Z latent size.
struct LinearAutoencoder: Autoencoder {
  static let id = "linear"
  static let note = "one linear layer as encoder and one as decoder (Bourlard 1988)"

  struct Settings: AutoencoderSettings {
    var latent = 8

    static var fields: [Field<Self>] { [Field("latent-size", \.latent, 1...4096, "size of the latent, Z")] }
  }

  let settings: Settings
  private let frame: FrameShape
  private var encoder: Linear
  private var decoder: Linear

  init(frame: FrameShape, isBackgroundSubtracted: Bool, settings: Settings, using random: inout Random) {
    (self.frame, self.settings) = (frame, settings)
    encoder = Linear(frame.count, settings.latent, gain: 1, using: &random)
    decoder = Linear(settings.latent, frame.count, gain: 1, using: &random)
  }

  var latentSize: Int { settings.latent }
  func encode(_ x: Tensor) -> Tensor { encoder(x.reshaped(x.shape[0], -1)) }  // [B, Z]
  func decode(_ z: Tensor) -> Tensor {  // [B, C, H, W]
    decoder(z).reshaped(z.shape[0], frame.channels, frame.height, frame.width)
  }
  func penalty(_ z: Tensor) -> Tensor { Tensor(scalar: 0, z.precision) }

  mutating func visit(_ visitor: inout some ParameterVisitor) {
    visitor("encoder", &encoder)
    visitor("decoder", &decoder)
  }
}
