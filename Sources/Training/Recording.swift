import Core
import Environments
import Pixels
import Runs

/// Recorded episodes, end to end: frames, true states, and the transitions between neighbouring frames of an episode.
///
/// As `Codable` it is all but its frames, which a checkpoint holds in segments.
public struct Recording: Sendable, Codable {
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
  /// What followed; at an episode's last frame, nothing did.
  public private(set) var steps: [Step?] = []
  /// The episode of each frame.
  public private(set) var episodes: [Int] = []
  /// Simulator steps that the recording cost.
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

  /// Says what keeps a stored recording from going on where a new one would begin, or nothing.
  func complaint(like new: Recording) -> String? {
    guard width == new.width, height == new.height, format == new.format, observationNames == new.observationNames,
      actionSpace == new.actionSpace
    else { return "a recording is of other frames or actions" }
    guard observations.count == count * observationNames.count, actions.count == count * actionSize,
      steps.count == count, (0...1 << 53).contains(environmentSteps)
    else { return "a recording of \(count) frames has \(steps.count) steps and \(actions.count) numbers of actions" }
    guard observations.allSatisfy(\.isFinite), actionSpace.holds(actions),
      steps.allSatisfy({ $0.map { $0.reward.isFinite && $0.discount.isFinite } ?? true })
    else { return "a recording holds what is no observation, action or reward" }
    guard zip([-1] + episodes, episodes).allSatisfy({ $1 == $0 || $0 < $1 && $1 - 1 == $0 }) else {
      return "a recording's episodes are not numbered in their order"
    }
    return nil
  }

  public var count: Int { episodes.count }
  /// Numbers of an action.
  public var actionSize: Int { actionSpace.arrayCount }
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

  /// Adds the episodes of another recording of the same frames and actions.
  public mutating func append(contentsOf other: Recording) {
    precondition(
      other.frameSize == frameSize && other.actionSpace == actionSpace, "recordings of unlike frames or actions")
    let firstEpisode = (episodes.last ?? -1) + 1
    frames.append(contentsOf: other.frames)
    observations.append(contentsOf: other.observations)
    actions.append(contentsOf: other.actions)
    steps.append(contentsOf: other.steps)
    episodes.append(contentsOf: other.episodes.map { $0 + firstEpisode })
    environmentSteps += other.environmentSteps
  }

  private mutating func append(_ frame: PixelBuffer, _ observation: [Double], episode: Int) {
    precondition(frame.bytes.count == frameSize, "a recording holds frames of one size")
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

  func hasEpisode(ofFrames length: Int) -> Bool {
    episodes.indices.contains { $0 >= length - 1 && episodes[$0 - length + 1] == episodes[$0] }
  }

  public func frame(_ index: Int) -> PixelBuffer {
    PixelBuffer(
      width: width, height: height, format: format,
      bytes: Array(frames[index * frameSize..<(index + 1) * frameSize]))
  }

  public func observation(_ index: Int) -> ArraySlice<Double> {
    let size = observationNames.count
    return observations[index * size..<(index + 1) * size]
  }

  public func action(_ index: Int) -> ArraySlice<Float> { actions[index * actionSize..<(index + 1) * actionSize] }
}

// MARK: - On disk

extension Recording {
  /// Writes the folder of a dataset. Throws `WorldError` with the path and the system's reason.
  public func write(to path: String, manifest: FrameDatasetManifest) throws {
    try write(
      with: FrameDatasetWriter(
        path: path, manifest: manifest, frame: frame(0), stateSize: observationNames.count, actionSize: actionSize))
  }

  /// Completes a dataset with all that is recorded. Throws `WorldError` with the path and the system's reason.
  public func write(with writer: consuming FrameDatasetWriter) throws {
    writer.manifest.environmentSteps = environmentSteps
    for i in 0..<count {
      if i > 0, episodes[i] == episodes[i - 1], let step = steps[i - 1] {
        let action = Array(action(i - 1))
        try writer.append(
          action: actionSpace.denormalized(action.span), step, frame(i), state: Array(observation(i)))
      } else {
        try writer.start(frame(i), state: Array(observation(i)))
      }
    }
    try writer.commit()
  }

  /// Reads a dataset back.
  public init(_ dataset: FrameDataset, observationNames: [String], actionSpace: ActionSpace) throws {
    guard dataset.states.shape[1] == observationNames.count, dataset.actions.shape[1] == actionSpace.arrayCount else {
      throw InputError(
        "\(dataset.path) holds states of \(dataset.states.shape[1]) and actions of \(dataset.actions.shape[1]) numbers, "
          + "not \(observationNames.count) and \(actionSpace.arrayCount): collect it again with 'pixelrl collect'")
    }
    self.init(frame: dataset.frame(0), observationNames: observationNames, actionSpace: actionSpace)
    environmentSteps = dataset.manifest.environmentSteps
    for i in 0..<dataset.count {
      let state = dataset.states[i]
      if i > 0, dataset.episodes[i] == dataset.episodes[i - 1] {
        append(
          action: actionSpace.normalized(dataset.actions[i - 1].map(Double.init)),
          step: Step(reward: dataset.rewards[i - 1], discount: dataset.discounts[i - 1]), frame: dataset.frame(i),
          observation: state)
      } else {
        begin(frame: dataset.frame(i), observation: state)
      }
    }
  }
}

extension FrameDataset {
  /// Refuses frames and transitions that were made in another way than these settings would make them.
  ///
  /// - Throws: `InputError` that names what to type instead.
  public func check<E: Environment>(_ environment: E.Type, _ settings: EpisodeSettings) throws {
    guard manifest.environment == E.id else {
      throw InputError("\(path) holds frames of \(manifest.environment): give --env \(manifest.environment)")
    }
    let decisive = EpisodeSettings.keys(changing: .view, .dynamics)
    let asked = Dictionary(uniqueKeysWithValues: settings.record.map { ($0.key, $0.text) })
    for setting in manifest.settings where decisive.contains(setting.key) {
      guard let text = asked[setting.key], text != setting.text else { continue }
      throw InputError(
        "\(path) was collected with --\(setting.key) \(setting.text), this run has \(text): give --\(setting.key) "
          + "\(setting.text), or collect with --\(setting.key) \(text)")
    }
    guard width == settings.size, height == settings.size, format == settings.color.format else {
      throw WorldError(path: path, "holds \(width)x\(height) \(format) frames, unlike its manifest: collect it again")
    }
  }
}
