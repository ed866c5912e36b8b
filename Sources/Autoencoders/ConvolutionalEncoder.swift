import Core
import Networks
import Tensors

/// The encoder of DrQ (Yarats, Kostrikov and Fergus 2021, arXiv 2004.13649), without a decoder: four convolutions, then a
/// linear bottleneck with LayerNorm and tanh. It learns from an agent's critic alone.
///
/// DrQ strides by 2 once, which costs four times as much; here the first three convolutions stride by 2 where they leave a
/// map of 3x3 features, so that 64x64 frames become 31, 15, 7 and 5 features wide, and 16x16 frames 14, 12, 5 and 3.
///
/// Letters: B batch, C channels, H W image, F filters, Z latent size.
public struct ConvolutionalEncoder: Autoencoder {
  public static let id = "conv"
  public static let note = "small convolutional encoder without a decoder, to learn from the critic alone (Yarats 2021)"
  public static let hasDecoder = false

  public struct Settings: AutoencoderSettings {
    public var latent = 50
    public var filters = 32

    public init() {}
    public static var fields: [Field<Self>] {
      [
        Field("latent-size", \.latent, 1...4096, "numbers of the latent, Z"),
        Field("filters", \.filters, 1...4096, "filters of the convolutions"),
      ]
    }
  }

  /// Height and width of the smallest frame.
  static let leastSide = 16

  public let settings: Settings
  var convolutions: ConvolutionStack
  var toLatent: Linear
  var norm: LayerNorm

  public init(
    frame: FrameShape, isBackgroundTakenAway: Bool, settings: Settings, using random: inout Random
  ) throws {
    guard min(frame.height, frame.width) >= Self.leastSide else {
      throw InputError(
        "a conv encoder needs frames of at least \(Self.leastSide)x\(Self.leastSide), not \(frame.width)x\(frame.height)"
      )
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

  /// The strides of the four convolutions for frames whose shorter side is so long.
  static func strides(of side: Int) -> [Int] {
    var side = side
    return (0..<4).map { i in
      // What is left of it, less what the convolutions after this one take away.
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
    preconditionFailure("a conv encoder has no decoder: ask hasDecoder first")
  }

  public func penalty(_ z: Tensor) -> Tensor { Tensor(scalar: 0, z.precision) }

  public mutating func visit(_ visitor: inout some ParameterVisitor) {
    visitor("convs", &convolutions)
    visitor("fc", &toLatent)
    visitor("ln", &norm)
  }
}
