import Agents
import Core
import Environments
import Pixels
import Representations
import Runs

/// The dataset that an agent learns from without acting (offline reinforcement learning).
struct OfflineData {
  private let dataset: FrameDataset
  private let spec: EnvironmentSpec

  /// Opens a dataset, and checks that an agent can learn from it for an environment.
  ///
  /// - Throws: `InputError` that says what to use instead, `WorldError` with the path of a damaged file.
  init<A: Agent>(
    _ path: String, for agent: A.Type, in spec: EnvironmentSpec, _ episode: EpisodeSettings, observing: ObservationKind
  ) throws {
    dataset = try FrameDataset(path: path)
    self.spec = spec
    if let imported = dataset.manifest.imported {
      try check(imported, episode)
    } else {
      try dataset.check(spec, episode)
    }
    guard dataset.actions.shape[1] == spec.actionSpace.arrayCount else {
      throw InputError(
        "\(path) has actions of size \(dataset.actions.shape[1]), but those of \(spec.id) have size "
          + "\(spec.actionSpace.arrayCount): use a dataset of \(spec.id), or another --env")
    }
    guard observing == .latent || dataset.states.shape[1] == spec.observationNames.count else {
      throw InputError("\(path) does not have the states of \(spec.id): use --observe latent")
    }
    try checkTransitions(A.onlyImitates)
    let frame = dataset.height * dataset.width * dataset.format.channels
    guard dataset.count < Host.memory / frame else {
      throw InputError(
        "the \(dataset.count) frames of \(path), of \(frame) bytes each, exceed this machine's memory of "
          + "\(megabytes(Host.memory)): use a smaller dataset")
    }
  }

  /// The number of frames.
  var count: Int { dataset.count }

  var input: RunDirectory.Input {
    get throws {
      .init(
        name: TrainingSettings.key(of: \.dataset), path: dataset.path, absolutePath: try absolutePath(dataset.path),
        fingerprint: dataset.fingerprint)
    }
  }

  func recording() throws -> Recording {
    guard let imported = dataset.manifest.imported else { return try Recording(dataset, of: spec) }
    return try Recording(dataset, observationNames: imported.stateNames, actionSpace: spec.actionSpace)
  }

  /// Checks that imported pictures are frames of the environment's size with its kind of actions.
  private func check(_ imported: ImportedPictures, _ episode: EpisodeSettings) throws {
    let path = dataset.path
    guard imported.actionSpace.arrayCount > 0 else {
      throw InputError(
        "\(path) has no actions, so that an agent cannot learn from it: import files that have them (--actions-key)")
    }
    guard imported.actionSpace.isContinuous == spec.actionSpace.isContinuous else {
      throw InputError(
        "\(path) has actions that are \(imported.actionSpace), but those of \(spec.id) are \(spec.actionSpace): use "
          + "another --env")
    }
    let frame = episode.blankFrame
    guard (dataset.width, dataset.height) == (frame.width, frame.height), dataset.format == frame.format else {
      throw InputError(
        "\(path) has \(dataset.width)x\(dataset.height) \(dataset.format) frames, but this run uses "
          + "\(frame.width)x\(frame.height) \(frame.format): use --size "
          + "\(FrameSize(width: dataset.width, height: dataset.height).text) --color \(dataset.format), or import it with "
          + "other ones")
    }
  }

  /// Checks the actions and the rewards.
  private func checkTransitions(_ onlyImitates: Bool) throws {
    let path = dataset.path
    let starts = (0..<dataset.count).filter(dataset.isFollowed)
    guard !starts.isEmpty else {
      throw InputError("\(path) has no two consecutive frames, so that an agent cannot learn from it")
    }
    for index in starts {
      let action = dataset.actions[index].map(Double.init)
      do { try spec.actionSpace.validate(action) } catch {
        throw InputError("\(path), frame \(index): \(error); use a dataset of \(spec.id), or another --env")
      }
      guard spec.actionSpace.normalized(action).allSatisfy({ !spec.actionSpace.isContinuous || abs($0) <= 1.001 })
      else {
        throw InputError(
          "\(path), frame \(index): the action \(action) is outside of the actions of \(spec.id), \(spec.actionSpace): "
            + "use a dataset of \(spec.id), or another --env")
      }
    }
    guard onlyImitates || starts.contains(where: { dataset.rewards[$0] != 0 }) else {
      throw InputError(
        "\(path) has no rewards: use --agent \(BehaviorCloning.id), which needs none, or import files that have them "
          + "(--rewards-key)")
    }
  }
}
