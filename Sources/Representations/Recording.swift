import Core
import Environments
import Pixels

/// Recorded episodes, one after another: frames, true states, and the transitions between consecutive frames.
///
/// Its `Codable` form omits the frames, which a checkpoint stores in segments.
public struct Recording: RecordedFrames, Codable {
  public let width: Int
  public let height: Int
  public let format: PixelFormat
  public let observationNames: [String]
  public let actionSpace: ActionSpace
  /// N frames of `frameSize` bytes each.
  public internal(set) var frames: [UInt8] = []
  /// N rows of the true observation.
  public private(set) var observations: [Double] = []
  /// N rows of the action taken at the frame, in the policy's units; zeros at an episode's last frame.
  public private(set) var actions: [Float] = []
  /// The result of each action; nil at an episode's last frame.
  public private(set) var steps: [Step?] = []
  /// The episode of each frame.
  public private(set) var episodes: [Int] = []
  /// The number of simulator steps of the recording.
  public var environmentSteps = 0

  private enum CodingKeys: CodingKey {
    case width, height, format, observationNames, actionSpace, observations, actions, steps, episodes, environmentSteps
  }

  public init(frame: PixelBuffer, observationNames: [String], actionSpace: ActionSpace) {
    width = frame.width
    height = frame.height
    format = frame.format
    self.observationNames = observationNames
    self.actionSpace = actionSpace
  }

  public var count: Int { episodes.count }
  /// The size of an action.
  public var actionSize: Int { actionSpace.arrayCount }
  /// The width and height of a frame.
  public var size: FrameSize { FrameSize(width: width, height: height) }
  public var frameSize: Int { width * height * format.channels }

  public mutating func begin(frame: PixelBuffer, observation: [Double]) {
    append(frame, observation, episode: (episodes.last ?? -1) + 1)
  }

  public mutating func append(action: [Float], step: Step, frame: PixelBuffer, observation: [Double]) {
    let last = count - 1
    for i in 0..<actionSize { actions[last * actionSize + i] = action[i] }
    steps[last] = step
    append(frame, observation, episode: episodes[last])
  }

  /// Adds the episodes of another recording with the same frame size and action space.
  public mutating func append(contentsOf other: Recording) {
    precondition(
      other.frameSize == frameSize && other.actionSpace == actionSpace,
      "the recordings have different frame sizes or action spaces")
    let firstEpisode = (episodes.last ?? -1) + 1
    frames.append(contentsOf: other.frames)
    observations.append(contentsOf: other.observations)
    actions.append(contentsOf: other.actions)
    steps.append(contentsOf: other.steps)
    episodes.append(contentsOf: other.episodes.map { $0 + firstEpisode })
    environmentSteps += other.environmentSteps
  }

  private mutating func append(_ frame: PixelBuffer, _ observation: [Double], episode: Int) {
    precondition(frame.bytes.count == frameSize, "all frames of a recording must have the same size")
    frames.append(contentsOf: frame.bytes)
    observations.append(contentsOf: observation)
    actions.append(contentsOf: repeatElement(0, count: actionSize))
    steps.append(nil)
    episodes.append(episode)
  }

  /// Calls `body` with the bytes of a frame.
  @inline(__always)
  public func withFrame<Result>(_ index: Int, _ body: (Span<UInt8>) throws -> Result) rethrows -> Result {
    try body(frames.span.extracting(index * frameSize..<(index + 1) * frameSize))
  }

  public func frame(_ index: Int) -> PixelBuffer {
    PixelBuffer(
      width: width, height: height, format: format,
      bytes: Array(frames[index * frameSize..<(index + 1) * frameSize]))
  }

  /// Returns stacks of `count` frames that end at the given frames, one after another, the oldest frame first in each.
  public func stacks(_ indices: [Int], of count: Int) -> [PixelBuffer] {
    indices.flatMap { stack($0, of: count).map(frame) }
  }

  public func observation(_ index: Int) -> ArraySlice<Double> {
    let size = observationNames.count
    return observations[index * size..<(index + 1) * size]
  }

  public func action(_ index: Int) -> ArraySlice<Float> { actions[index * actionSize..<(index + 1) * actionSize] }
}
