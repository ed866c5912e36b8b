import Core
import Networks
import Pixels
import Tensors

/// An autoencoder whose latent is the positions of K keypoints. A spatial softmax finds each keypoint (Finn et al.
/// 2016, arXiv 1509.06113), and the decoder's input is Gaussian bumps at these positions (Jakab et al. 2018, arXiv
/// 1806.07823).
///
/// Control needs the positions of small moving things, and the latent cannot represent anything else. Nor can the
/// decoder: its output without any keypoints is subtracted. Otherwise the decoder, whose zero padding reveals where the
/// border is, could paint a bar along a floor where something is often seen. That would lower the error so much that no
/// keypoint would move there.
///
/// Letters: B batch, C channels, H W image, K keypoints, M map side, Z = 2K.
public struct KeypointAutoencoder: Autoencoder {
  public static let id = "keypoint"
  public static let note =
    "positions of keypoints from a spatial softmax, decoded from Gaussian bumps (Finn 2016, Jakab 2018)"

  public struct Settings: AutoencoderSettings {
    public var keypoints = 16
    public var filters = 32
    public var depth = 1
    public var sharpness = 3.0
    public var bumpWidth = 0.12
    public var latentPenalty = 1e-6
    public var keypointsAlone = true

    public init() {}
    public static var fields: [Field<Self>] {
      [
        Field("keypoints", \.keypoints, 1...1024, "number of keypoints K; the latent has two values per keypoint"),
        Field("filters", \.filters, 1...4096, "number of filters of each hidden convolution"),
        Field(
          "depth", \.depth, 1...16,
          "hidden convolutions at a quarter of the frame's resolution, in encoder and decoder; each widens the receptive "
            + "field by 8 pixels"
        ),
        Field("sharpness", \.sharpness, 0.01...1000, "factor on the logits of the spatial softmax"),
        Field(
          "bump-width", \.bumpWidth, 0.001...10,
          "σ of the decoder's Gaussian bumps; the frame's shorter side spans -1 to 1"),
        Field("latent-penalty", \.latentPenalty, 0...1, "weight of the latents' mean square in the loss"),
        Field(
          "keypoints-alone", \.keypointsAlone,
          "subtract what the decoder draws without any keypoint, so that only keypoints draw something"
        ),
      ]
    }
  }

  public let settings: Settings
  /// Whether the decoder's output without keypoints is subtracted, as in the settings. False if the decoder must draw
  /// the background too; nil in files of older versions, which did not subtract it.
  let drawsKeypointsAlone: Bool?
  let mapHeight: Int
  let mapWidth: Int
  var encoder: ConvolutionStack
  var decoder: ConvolutionStack

  public init(
    frame: FrameShape, isBackgroundSubtracted: Bool, settings: Settings, using random: inout Random
  ) throws {
    // On a map of one cell all positions would be the same.
    guard frame.height % 4 == 0, frame.width % 4 == 0, frame.height >= 8, frame.width >= 8 else {
      throw InputError(
        "a keypoint autoencoder needs a width and a height that are multiples of 4, of at least 8, such as --size "
          + "\(frame.sizeText { max(8, ($0 + 2) / 4 * 4) }), not \(frame.width)x\(frame.height)")
    }
    self.settings = settings
    drawsKeypointsAlone = isBackgroundSubtracted && settings.keypointsAlone
    (mapHeight, mapWidth) = (frame.height / 4, frame.width / 4)
    let (channels, filters, keypoints) = (frame.channels, settings.filters, settings.keypoints)
    let hidden = [Convolution](
      repeating: Convolution(inputs: filters, outputs: filters, kernel: 3, padding: 1, rectified: true),
      count: settings.depth)
    // Damped, so that each softmax starts flat: every keypoint then averages over the whole frame and moves to what
    // moves. With random peaks it would stay at its peak; experiments/results/full-look compares both.
    encoder = ConvolutionStack(
      [Convolution(inputs: 4 * channels, outputs: filters, kernel: 3, stride: 2, padding: 1, rectified: true)] + hidden
        + [Convolution(inputs: filters, outputs: keypoints, kernel: 3, padding: 1)], start: .dampedUniform,
      using: &random)
    decoder = ConvolutionStack(
      [Convolution(inputs: keypoints, outputs: filters, kernel: 3, padding: 1, rectified: true)] + hidden
        + [Convolution(inputs: filters, outputs: 16 * channels, kernel: 3, padding: 1)], start: .dampedUniform,
      using: &random)
  }

  public var latentSize: Int { 2 * settings.keypoints }

  // p_k = softmax(s · logits_k) over the map,  (x_k, y_k) = Σ p_k(i, j) · (x_j, y_i)      Finn 2016, sec. V-B
  public func encode(_ x: Tensor) -> Tensor {  // [B, C, H, W]
    let logits = encoder(pixelUnshuffled(x, by: 2))  // [B, K, M, M]
    let (batch, keypoints) = (x.shape[0], settings.keypoints)
    let p = softmax(logits.reshaped(batch * keypoints, mapHeight * mapWidth) * settings.sharpness)
    return matrixProduct(p, cellPositions).reshaped(batch, 2 * keypoints)  // [B, Z]
  }

  // x̂ = D(bumps) - D(0),  bump_k(i, j) = exp(-((x_j - x_k)² + (y_i - y_k)²) / 2σ²)        Jakab 2018, eq. 3
  public func decode(_ z: Tensor) -> Tensor {  // [B, Z]
    let (batch, keypoints) = (z.shape[0], settings.keypoints)
    let z = z.reshaped(batch * keypoints, 2)
    let alongX = profiles(along: mapWidth, at: z.columns(0..<1))  // [BK, M]
    let alongY = profiles(along: mapHeight, at: z.columns(1..<2))  // [BK, M]
    let bumps = alongY.reshaped(batch * keypoints, mapHeight, 1) * alongX.reshaped(batch * keypoints, 1, mapWidth)
    var output = decoder(bumps.reshaped(batch, keypoints, mapHeight, mapWidth))  // [B, 16C, M, M]
    if drawsKeypointsAlone ?? false { output = output - decoder(.zeros([1, keypoints, mapHeight, mapWidth])) }
    return pixelShuffled(output, by: 4)  // [B, C, H, W]
  }

  /// Returns the bumps' profiles along a side of the map, `[BK, cells]`, at positions `[BK, 1]`. Each side spans -1 to
  /// 1. Along the longer one σ is smaller, so that bumps are round.
  func profiles(along cells: Int, at positions: Tensor) -> Tensor {
    let sigma = settings.bumpWidth * (Double(min(mapWidth, mapHeight) - 1) / Double(cells - 1))
    return exp(square(axis(cells).reshaped(1, cells) - positions) * (-1 / (2 * sigma * sigma)))
  }

  public func penalty(_ z: Tensor) -> Tensor { square(z).mean() * settings.latentPenalty }

  // The centre of cell j of M is at (j + 1/2) / M of the frame, where the decoder draws it.
  public func keypoints(of z: Tensor) -> [[Point]]? {
    func fraction(_ position: Float, of cells: Int) -> Double {
      0.5 + Double(position) * Double(cells - 1) / Double(2 * cells)
    }
    let values = z.array
    return (0..<z.shape[0]).map { b in
      (0..<settings.keypoints).map { k in
        let i = b * latentSize + 2 * k
        return Point(fraction(values[i], of: mapWidth), fraction(values[i + 1], of: mapHeight))
      }
    }
  }

  public mutating func visit(_ visitor: inout some ParameterVisitor) {
    visitor("encoder", &encoder)
    visitor("decoder", &decoder)
  }

  /// `[M M, 2]`: x and y of each cell of the map.
  private var cellPositions: Tensor {
    let (xs, ys) = (axis(mapWidth).array, axis(mapHeight).array)
    return Tensor(ys.flatMap { y in xs.flatMap { x in [x, y] } }, [mapHeight * mapWidth, 2])
  }

  /// The coordinates of `count` cell centres, from -1 to 1.
  private func axis(_ count: Int) -> Tensor {
    Tensor((0..<count).map { 2 * Float($0) / Float(count - 1) - 1 }, [count])
  }
}
