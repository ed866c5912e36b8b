import Pixels

/// The frames of an episode as a film keeps them: the first ones, as many as its limits allow, however long the episode is.
public struct Film: Sendable {
  public private(set) var frames: [PixelBuffer] = []
  /// Frames of the episode, kept or not.
  public private(set) var count = 0

  /// A minute and more at 25 frames a second.
  static let mostFrames = 2000
  /// Bytes of the frames that are kept.
  static let mostBytes = 256_000_000

  public init() {}

  public mutating func append(_ frame: PixelBuffer) {
    count += 1
    guard frames.count < Self.mostFrames, (frames.count + 1) * frame.bytes.count <= Self.mostBytes || frames.isEmpty
    else { return }
    frames.append(frame)
  }

  /// Writes what was kept as an animated PNG, magnified to be looked at; its text says where it stops early.
  public func write(to path: String, text: [String: String]) throws {
    var text = text
    if frames.count < count { text["frames"] = "the first \(frames.count) of \(count)" }
    try AnimatedPNG.write(
      frames.lazy.map { $0.magnified(by: max(1, 256 / $0.height)) }, to: path, framesPerSecond: 25, text: text)
  }
}
