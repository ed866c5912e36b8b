import Core
import Networks
import Tensors

/// The encoder of DrQ (Yarats, Kostrikov and Fergus 2021, arXiv 2004.13649), without a decoder: four convolutions, then
/// a linear bottleneck with LayerNorm and tanh. It learns only from an agent's critic.
///
/// DrQ has stride 2 only once, which costs four times as much. Here the first three convolutions have stride 2 if the
/// final map keeps at least 3x3 features: the widths are 31, 15, 7 and 5 for 64x64 frames, and 14, 12, 5 and 3 for
/// 16x16 frames.
///
/// Letters: B batch, C channels, H W image, F filters, Z latent size.
public struct ConvolutionalEncoder: Autoencoder {
  public static let id = "conv"
  public static let note = "small convolutional encoder without a decoder, trained by the critic only (Yarats 2021)"
  public static let hasDecoder = false

  public struct Settings: AutoencoderSettings {
    public var latent = 50
    public var filters = 32

    public init() {}
    public static var fields: [Field<Self>] {
      [
        Field("latent-size", \.latent, 1...4096, "size of the latent, Z"),
        Field("filters", \.filters, 1...4096, "number of filters of each convolution"),
      ]
    }
  }

  /// The smallest height and width of a frame.
  static let leastSide = 16

  public let settings: Settings
  var convolutions: ConvolutionStack
  var toLatent: Linear
  var norm: LayerNorm

  public init(
    frame: FrameShape, isBackgroundSubtracted: Bool, settings: Settings, using random: inout Random
  ) throws {
    guard min(frame.height, frame.width) >= Self.leastSide else {
      throw InputError(
        "a conv encoder needs a width and a height of at least \(Self.leastSide), such as --size "
          + "\(frame.sizeText { max($0, Self.leastSide) }), not \(frame.width)x\(frame.height)")
    }
    self.settings = settings
    let links = Self.strides(of: min(frame.height, frame.width)).enumerated().map { i, stride in
      Convolution(
        inputs: i == 0 ? frame.channels : settings.filters, outputs: settings.filters, kernel: 3, stride: stride,
        rectified: true)
    }
    convolutions = ConvolutionStack(links, start: .orthogonal, using: &random)
    let (height, width) = convolutions.outputSize(height: frame.height, width: frame.width)
    toLatent = Linear(settings.filters * height * width, settings.latent, gain: 1, using: &random)
    norm = LayerNorm(settings.latent)
  }

  /// Returns the strides of the four convolutions for frames whose shorter side is `side`.
  static func strides(of side: Int) -> [Int] {
    var side = side
    return (0..<4).map { i in
      // The size with stride 2. The convolutions after this one reduce it by 2 each.
      let halved = (side - 3) / 2 + 1
      let stride = i < 3 && halved - 2 * (3 - i) >= 3 ? 2 : 1
      side = (side - 3) / stride + 1
      return stride
    }
  }

  public var latentSize: Int { settings.latent }

  // z = tanh(LayerNorm(W h + b)),  h the flattened features
  public func encode(_ x: Tensor) -> Tensor {  // [B, C, H, W]
    let features = convolutions(x)  // [B, F, H', W']
    return tanh(norm(toLatent(features.reshaped(x.shape[0], -1))))  // [B, Z]
  }

  public func decode(_ z: Tensor) -> Tensor {
    preconditionFailure("a conv encoder has no decoder: check hasDecoder first")
  }

  public func penalty(_ z: Tensor) -> Tensor { Tensor(scalar: 0, z.precision) }

  public mutating func visit(_ visitor: inout some ParameterVisitor) {
    visitor("convs", &convolutions)
    visitor("fc", &toLatent)
    visitor("ln", &norm)
  }
}
