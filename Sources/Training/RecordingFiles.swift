import Core
import Environments
import Formats
import Pixels
import Representations
import Runs

extension Recording {
  /// Writes the recording as a new dataset folder. Throws `WorldError` with the path and the system's reason.
  public func write(to path: String, manifest: FrameDatasetManifest) throws {
    try write(
      with: FrameDatasetWriter(
        path: path, manifest: manifest, frame: frame(0), stateSize: observationNames.count, actionSize: actionSize))
  }

  /// Writes the whole recording to a dataset and commits it. Throws `WorldError` with the path and the system's reason.
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

  /// Reads the frames of an environment. Those of a replay buffer have no states.
  public init(_ dataset: FrameDataset, of spec: EnvironmentSpec) throws {
    let names = dataset.states.shape[1] == 0 ? [] : spec.observationNames
    try self.init(dataset, observationNames: names, actionSpace: spec.actionSpace)
  }

  /// Reads a dataset into a recording.
  ///
  /// A repeated frame of an import is an episode of its own: it is no frame that an action led to.
  ///
  /// - Parameter range: the frames; nil for all. If it begins within an episode, an episode of the recording begins
  ///   there.
  public init(
    _ dataset: FrameDataset, _ range: Range<Int>? = nil, observationNames: [String], actionSpace: ActionSpace
  ) throws {
    guard dataset.states.shape[1] == observationNames.count, dataset.actions.shape[1] == actionSpace.arrayCount else {
      throw InputError(
        "\(dataset.path) has states of size \(dataset.states.shape[1]) and actions of size "
          + "\(dataset.actions.shape[1]), not \(observationNames.count) and \(actionSpace.arrayCount): collect it "
          + "again with 'pixelrl collect'")
    }
    let range = range ?? 0..<dataset.count
    self.init(frame: dataset.frame(0), observationNames: observationNames, actionSpace: actionSpace)
    environmentSteps = dataset.manifest.environmentSteps
    for i in range {
      let state = dataset.states[i]
      if i > range.lowerBound, dataset.isFollowed(i - 1), !dataset.isRepeated(i) {
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
  /// Checks that the frames and transitions were made with the same settings.
  ///
  /// - Throws: `InputError` that says which setting to use instead.
  public func check(_ spec: EnvironmentSpec, _ settings: EpisodeSettings) throws {
    guard manifest.imported == nil else {
      throw InputError("\(path) has imported pictures, not frames of \(spec.id): leave out --env to train on them")
    }
    guard manifest.environment == spec.id else {
      throw InputError("\(path) has frames of \(manifest.environment): use --env \(manifest.environment)")
    }
    let recorded = Dictionary(uniqueKeysWithValues: manifest.settings.map { ($0.key, $0.text) })
      .merging(EpisodeSettings.unrecorded) { recorded, _ in recorded }
    // Frames are stored one by one, whatever the frame stack.
    let decisive = EpisodeSettings.keys(changing: .view, .dynamics).filter { $0 != "frame-stack" }
    for (key, text) in settings.record where decisive.contains(key) {
      guard let mine = recorded[key], mine != text else { continue }
      let setting = FrameDatasetManifest.Setting(key: key, text: mine)
      let wanted = FrameDatasetManifest.Setting(key: key, text: text)
      throw InputError(
        "\(path) was collected with \(setting.flag), but this run uses \(wanted.flag): use \(setting.flag), or collect "
          + "with \(wanted.flag)")
    }
    guard width == settings.size.width, height == settings.size.height, format == settings.color.format else {
      throw WorldError(
        path: path, "has \(width)x\(height) \(format) frames, but its manifest says otherwise: collect it again")
    }
  }

  /// The settings that change the effect of an action.
  private var dynamic: [String] { ["action-repeat", "sticky-actions"] }
}
