import Pixels

/// The first frames of an episode, up to a limit set by video length and memory.
public struct FirstFrames: Sendable {
  public private(set) var frames: [PixelBuffer] = []
  /// The number of frames of the episode, kept or not.
  public private(set) var count = 0

  /// The maximum number of frames to keep: 2000, which is 80 s at 25 frames per second, or 256 MB of frames.
  static func most(of frame: PixelBuffer) -> Int { max(1, min(2000, 256_000_000 / max(1, frame.bytes.count))) }

  public init() {}

  public mutating func append(_ frame: PixelBuffer) {
    count += 1
    if frames.count < Self.most(of: frame) { frames.append(frame) }
  }

  /// Writes the kept frames as a magnified animated PNG. If frames are missing, its text chunk `frames` says so.
  public func write(to path: String, text: [String: String]) throws {
    var text = text
    if frames.count < count { text["frames"] = "the first \(frames.count) of \(count)" }
    try AnimatedPNG.write(
      frames.lazy.map { $0.magnified(by: $0.size.magnification(to: 256)) }, to: path, framesPerSecond: 25, text: text)
  }
}
