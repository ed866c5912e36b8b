/// The format of a pixel; the raw value is the number of channels.
public enum PixelFormat: Int, Sendable, Hashable, Codable, CaseIterable {
  case gray = 1
  case rgb = 3

  public var channels: Int { rawValue }
}

/// A frame as bytes of shape [H, W, C]: rows from the top, pixels from the left, interleaved channels.
public struct PixelBuffer: Sendable, Hashable {
  public let width: Int
  public let height: Int
  public let format: PixelFormat
  /// `height * width * channels` bytes.
  public var bytes: [UInt8]

  public var channels: Int { format.channels }
  /// The number of bytes of a row.
  public var stride: Int { width * channels }

  /// Creates a black frame.
  public init(width: Int, height: Int, format: PixelFormat = .rgb) {
    precondition(width > 0 && height > 0, "the size of a frame must be positive, not \(width)x\(height)")
    self.width = width
    self.height = height
    self.format = format
    bytes = [UInt8](repeating: 0, count: width * height * format.channels)
  }

  public init(width: Int, height: Int, format: PixelFormat, bytes: [UInt8]) {
    precondition(
      bytes.count == width * height * format.channels,
      "\(width)x\(height) \(format) needs \(width * height * format.channels) bytes, not \(bytes.count)")
    self.width = width
    self.height = height
    self.format = format
    self.bytes = bytes
  }
}
