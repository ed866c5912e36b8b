import Autoencoders
import Core
import Environments
import Replay
import Representations
import Runs

/// The frames and true states of a state probe.
public struct ProbeFrames: Sendable {
  /// `random play`, or the path of a dataset.
  public let name: String
  /// Episodes for the regression, and separate ones for the evaluation.
  public let (training, heldOut): (Recording, Recording)
  /// The components of the state that wrap after a full turn, which are predicted as cosine and sine.
  public let angles: Set<String>

  public init(_ name: String, training: Recording, heldOut: Recording, angles: Set<String> = []) {
    (self.name, self.training, self.heldOut, self.angles) = (name, training, heldOut, angles)
  }

  /// The history of latents that the state is predicted from: that of an agent, or one latent of stacked frames.
  func layout(of encoder: LatentEncoder<some Autoencoder>) -> HistoryLayout {
    var settings = TrainingSettings()
    if encoder.frameStack > 1 { settings.dropHistory() }
    return settings.layout(latentSize: encoder.latentSize, actionSpace: training.actionSpace)
  }
}

extension ProbeFrames {
  /// Random play: `frames` agent steps for the regression, a third as many held out.
  init(
    randomPlayOf environment: some Environment, _ episode: EpisodeSettings, _ collection: CollectionSettings,
    frames: Int, seed: Seed
  ) throws {
    var probing = collection
    probing.steps = frames
    let training = try collect(environment, episode, probing, seed: seed.child("probe training"))
    probing.steps = max(1, frames / 3)
    let heldOut = try collect(environment, episode, probing, seed: seed.child("probe held out"))
    self.init("random play", training: training, heldOut: heldOut, angles: environment.spec.wrappingAngles)
  }

  /// The frames of a dataset, about the last quarter of which is held out.
  ///
  /// - Throws: `InputError` if there are too few, or if the states are those of another task.
  init(of dataset: FrameDataset, _ spec: EnvironmentSpec) throws {
    guard dataset.count >= Self.least else {
      throw InputError("\(dataset.path) has \(dataset.count) frames, but a probe needs \(Self.least) or more")
    }
    func part(_ range: Range<Int>) throws -> Recording {
      try Recording(dataset, range, observationNames: spec.observationNames, actionSpace: spec.actionSpace)
    }
    let cut = dataset.cut(holdingOut: 0.25)
    self.init(
      dataset.path, training: try part(0..<cut), heldOut: try part(cut..<dataset.count), angles: spec.wrappingAngles)
  }

  private static let least = 20
}

extension FrameDataset {
  /// The first of the frames that are held out: the last `fraction` of them, from the beginning of an episode if one
  /// begins in the second half. 0 if there is only one frame.
  func cut(holdingOut fraction: Double) -> Int {
    let begins = (1..<max(count, 1)).filter { $0 >= count / 2 && !isFollowed($0 - 1) }
    let ideal = count - max(1, Int(Double(count) * fraction))
    return begins.min { abs($0 - ideal) < abs($1 - ideal) } ?? ideal
  }
}
