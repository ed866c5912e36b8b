import Pixels

/// The first frames of an episode, as many as a film and the memory allow, however long it is.
public struct FirstFrames: Sendable {
  public private(set) var frames: [PixelBuffer] = []
  /// Frames of the episode, kept or not.
  public private(set) var count = 0

  /// As many of such frames as are kept: a minute and more at 25 a second, or 256 MB.
  static func most(of frame: PixelBuffer) -> Int { max(1, min(2000, 256_000_000 / max(1, frame.bytes.count))) }

  public init() {}

  public mutating func append(_ frame: PixelBuffer) {
    count += 1
    if frames.count < Self.most(of: frame) { frames.append(frame) }
  }

  /// Writes what was kept as an animated PNG, magnified to be looked at; its text says where it stops early.
  public func write(to path: String, text: [String: String]) throws {
    var text = text
    if frames.count < count { text["frames"] = "the first \(frames.count) of \(count)" }
    try AnimatedPNG.write(
      frames.lazy.map { $0.magnified(by: max(1, 256 / $0.height)) }, to: path, framesPerSecond: 25, text: text)
  }
}
