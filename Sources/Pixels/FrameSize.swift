import Core

/// The width and height of a frame in pixels, written as `96x64`, width first, or as `64` for a square.
public struct FrameSize: Sendable, Hashable {
  public var width: Int
  public var height: Int

  /// The widths and heights that a setting accepts.
  public static let sides = 8...1024
  /// A description of the sizes that a setting accepts.
  public static let domain =
    "a width and height such as 96x64, or one number for a square; each from \(sides.lowerBound) to "
    + "\(sides.upperBound)"

  public init(width: Int, height: Int) { (self.width, self.height) = (width, height) }

  public var isSquare: Bool { width == height }

  public var longerSide: Int { max(width, height) }

  /// Returns the largest whole factor by which frames can be magnified without being longer than `length`; at least 1.
  public func magnification(to length: Int) -> Int { max(1, length / longerSide) }

  /// Returns the factor by which the proportions of a picture change if it is stretched to this size, at least 1.
  public func distortion(of picture: FrameSize) -> Double {
    let ratio = Double(width * picture.height) / Double(height * picture.width)
    return max(ratio, 1 / ratio)
  }

  /// Returns a size with the proportions of a picture, rounded to sides that every autoencoder accepts: multiples of 4
  /// of at least 16. Its longer side is about as long as that of this size.
  public func withProportions(of picture: FrameSize) -> FrameSize {
    let scale = max(Double(longerSide) / Double(picture.longerSide), 16 / Double(min(picture.width, picture.height)))
    func side(_ length: Int) -> Int {
      min(max(4 * Int((Double(length) * scale / 4).rounded()), 16), Self.sides.upperBound)
    }
    return FrameSize(width: side(picture.width), height: side(picture.height))
  }
}

extension FrameSize: ExpressibleByIntegerLiteral {
  /// A square.
  public init(integerLiteral side: Int) { self.init(width: side, height: side) }
}

extension FrameSize: SettingValue {
  public init?(text: String) {
    let sides = text.split(separator: "x", omittingEmptySubsequences: false).map { Int(text: String($0)) }
    guard (1...2).contains(sides.count), let width = sides[0], let height = sides[sides.count - 1],
      Self.sides.contains(width), Self.sides.contains(height)
    else { return nil }
    self.init(width: width, height: height)
  }

  public var text: String { isSquare ? "\(width)" : "\(width)x\(height)" }
}

extension FrameSize: Codable {
  /// A square is a number, as in older versions, where all frames were squares.
  public init(from decoder: any Decoder) throws {
    let container = try decoder.singleValueContainer()
    if let side = try? container.decode(Int.self) {
      self.init(width: side, height: side)
    } else if let size = FrameSize(text: try container.decode(String.self)) {
      self = size
    } else {
      throw DecodingError.dataCorruptedError(in: container, debugDescription: "it is not a size such as 96x64")
    }
  }

  public func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    if isSquare { try container.encode(width) } else { try container.encode(text) }
  }
}

extension PixelBuffer {
  public var size: FrameSize { FrameSize(width: width, height: height) }

  /// Creates a black frame.
  public init(size: FrameSize, format: PixelFormat) {
    self.init(width: size.width, height: size.height, format: format)
  }
}
