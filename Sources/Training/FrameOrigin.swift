import Autoencoders
import Core
import Environments
import Representations
import Runs

/// Where the frames of a pretraining come from: an environment that is played, or pictures that were imported.
public protocol FrameOrigin {
  /// The environment's name, or that of the imported pictures.
  var id: String { get }
  /// The settings of the frames.
  var episode: EpisodeSettings { get }
  /// The groups of settings that a run records.
  var groups: [any SettingsGroup] { get }
  /// Whether they are imported pictures, in which nothing acts.
  var isImported: Bool { get }
  /// The dataset that is trained on; nil if the run collects its own.
  var dataset: FrameDataset? { get }

  /// Returns the same frames, but those of a dataset instead of new ones.
  func reading(_ dataset: FrameDataset?) -> Self
  /// Checks the settings, before any folder is made.
  ///
  /// - Throws: `InputError` that says what to change.
  func check(_ pretraining: PretrainingSettings) throws
  /// Returns the frames to train on. Frames that are collected are also written into the run's directory.
  func frames(in directory: RunDirectory, seed: Seed, say: (String) throws -> Void) throws -> Recording
  /// Returns the frames of the state probe, which the autoencoder is not trained on. Their state has no components if
  /// it is unknown.
  func probeFrames(_ pretraining: PretrainingSettings, seed: Seed) throws -> ProbeFrames
}

extension FrameOrigin {
  /// Trains the state probe. It has no components if the state is unknown.
  ///
  /// - Returns: the probe, and the frames that it was evaluated on.
  public func probe<Model: Autoencoder>(
    _ encoder: LatentEncoder<Model>, _ pretraining: PretrainingSettings, seed: Seed
  ) throws -> (probe: StateProbe, heldOut: Recording) {
    let frames = try probeFrames(pretraining, seed: seed)
    return (StateProbe(of: encoder, on: frames, steps: pretraining.probeSteps, seed: seed), frames.heldOut)
  }
}

/// Frames of an environment, which random play collects unless there is a dataset.
public struct PlayedFrames<E: Environment>: FrameOrigin {
  public let environment: E
  public let episode: EpisodeSettings
  public let collection: CollectionSettings
  public let dataset: FrameDataset?

  public init(
    of environment: E, _ episode: EpisodeSettings, _ collection: CollectionSettings, dataset: FrameDataset? = nil
  ) {
    self.environment = environment
    self.episode = episode
    self.collection = collection
    self.dataset = dataset
  }

  public func reading(_ dataset: FrameDataset?) -> Self {
    PlayedFrames(of: environment, episode, collection, dataset: dataset)
  }

  private var spec: EnvironmentSpec { environment.spec }

  public var id: String { spec.id }
  public var groups: [any SettingsGroup] { [episode, collection] }
  public var isImported: Bool { false }

  public func check(_ pretraining: PretrainingSettings) throws {
    try environment.checkRendering()
    try environment.checkDistractions(episode)
    if let dataset { try dataset.check(spec, episode) }
    try collection.check(environment, episode)
    if dataset == nil, let (setting, instead) = pretraining.needingConsecutiveFrames {
      // The steps are divided among the environments.
      let most = (collection.steps + collection.environments - 1) / collection.environments
      let actions = InverseDynamics.frames - 1
      guard min(most, collection.lengthOfEpisodes(spec, episode)) >= actions else {
        throw InputError(
          "\(setting) needs \(actions + 1) consecutive frames: use --collect-episode-steps \(actions) or more with at "
            + "least as many steps per environment, or \(instead)")
      }
    }
  }

  public func frames(in directory: RunDirectory, seed: Seed, say: (String) throws -> Void) throws -> Recording {
    // An earlier process of this run may have collected them.
    let own = directory.file("dataset")
    if let dataset = try dataset ?? (exists(own) ? FrameDataset(path: own) : nil) {
      try say("\(dataset.count) frames of \(dataset.path)")
      return try Recording(dataset, of: spec)
    }
    var progress = Progress("collect", total: collection.steps)
    let recording = try collect(environment, episode, collection, seed: seed.child("collection")) {
      progress.update($0)
    }
    progress.finish()
    try recording.write(
      to: own,
      manifest: FrameDatasetManifest(
        environment: spec.id, settings: episode, seed: seed, policy: collection.policy.rawValue))
    // As a resumed process reads them: an action may differ in its last bit.
    return try Recording(FrameDataset(path: own), of: spec)
  }

  public func probeFrames(_ pretraining: PretrainingSettings, seed: Seed) throws -> ProbeFrames {
    try ProbeFrames(
      randomPlayOf: environment, episode, collection, frames: pretraining.probeFrames, seed: seed)
  }
}
