import Core
import Networks
import Tensors

/// The deterministic regularised autoencoder of SAC+AE (Yarats et al. 2019, arXiv 1910.01741; Ghosh et al. 2020): four
/// convolutions, a fully connected bottleneck with LayerNorm and tanh, and a mirrored decoder. Instead of a prior, the
/// loss penalises the squares of the latents and of the decoder's weights.
///
/// Letters: B batch, C channels, H W image, F filters, Z latent size.
public struct RegularizedAutoencoder: Autoencoder {
  public static let id = "rae"
  public static let note = "regularised autoencoder of SAC+AE with a fully connected bottleneck (Yarats 2019)"

  public struct Settings: AutoencoderSettings {
    public var latent = 50
    public var filters = 32
    public var latentPenalty = 1e-6
    public var decoderPenalty = 1e-7

    public init() {}
    public static var fields: [Field<Self>] {
      [
        Field("latent-size", \.latent, 1...4096, "size of the latent, Z"),
        Field("filters", \.filters, 1...4096, "number of filters of each convolution"),
        Field("latent-penalty", \.latentPenalty, 0...1, "weight of half the latents' squared length in the loss"),
        Field("decoder-penalty", \.decoderPenalty, 0...1, "weight of half the decoder's squared weights in the loss"),
      ]
    }
  }

  public let settings: Settings
  /// The height and width after the convolutions.
  let innerHeight: Int
  let innerWidth: Int
  var convolutions: ConvolutionStack
  var toLatent: Linear
  var norm: LayerNorm
  var fromLatent: Linear
  var deconvolutions: ConvolutionStack

  public init(
    frame: FrameShape, isBackgroundSubtracted: Bool, settings: Settings, using random: inout Random
  ) throws {
    let filters = settings.filters
    let strided = Convolution(inputs: frame.channels, outputs: filters, kernel: 3, stride: 2, rectified: true)
    let plain = Convolution(inputs: filters, outputs: filters, kernel: 3, rectified: true)
    // 15, 7, 5, 3, 1: the convolutions leave at least one feature.
    guard frame.height >= 15, frame.width >= 15, frame.height % 2 == frame.width % 2 else {
      throw InputError(
        "a rae autoencoder needs a width and a height of at least 15, both even or both odd, such as --size "
          + "\(frame.sizeText { max(16, ($0 + 1) / 2 * 2) }), not \(frame.width)x\(frame.height)")
    }
    self.settings = settings
    convolutions = ConvolutionStack([strided, plain, plain, plain], using: &random)
    (innerHeight, innerWidth) = convolutions.outputSize(height: frame.height, width: frame.width)
    let flat = filters * innerHeight * innerWidth
    toLatent = Linear(flat, settings.latent, gain: 1, using: &random)
    norm = LayerNorm(settings.latent)
    fromLatent = Linear(settings.latent, flat, gain: 1, using: &random)
    let grow = Convolution(.transposed, inputs: filters, outputs: filters, kernel: 3, rectified: true)
    // The last one doubles the size, which gives an odd size. An even frame needs one more row and column.
    let last = Convolution(
      .transposed, inputs: filters, outputs: frame.channels, kernel: 3, stride: 2,
      outputPadding: frame.height % 2 == 0 ? 1 : 0)
    deconvolutions = ConvolutionStack([grow, grow, grow, last], using: &random)
  }

  public var latentSize: Int { settings.latent }

  // z = tanh(LayerNorm(W h + b)),  h the flattened features
  public func encode(_ x: Tensor) -> Tensor {  // [B, C, H, W]
    let features = convolutions(x)  // [B, F, H', W']
    return tanh(norm(toLatent(features.reshaped(x.shape[0], -1))))  // [B, Z]
  }

  public func decode(_ z: Tensor) -> Tensor {  // [B, Z]
    let features = fromLatent(z, rectified: true)
    return deconvolutions(features.reshaped(z.shape[0], settings.filters, innerHeight, innerWidth))
  }

  // λ_z ½|z|² + λ_θ ½|θ_decoder|²                                           Yarats 2019, sec. 5; Ghosh 2020, eq. 11
  public func penalty(_ z: Tensor) -> Tensor {
    let latents = square(z).sum(axis: 1).mean() * (0.5 * settings.latentPenalty)
    guard settings.decoderPenalty > 0 else { return latents }
    var weights = square(fromLatent.weight).sum()
    for weight in deconvolutions.weights { weights = weights + square(weight).sum() }
    return latents + weights * (0.5 * settings.decoderPenalty)
  }

  public mutating func visit(_ visitor: inout some ParameterVisitor) {
    visitor("convs", &convolutions)
    visitor("fc", &toLatent)
    visitor("ln", &norm)
    visitor("decoder_fc", &fromLatent)
    visitor("deconvs", &deconvolutions)
  }
}
