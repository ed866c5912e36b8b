import Autoencoders
import Core
import Environments
import Pixels
import Representations
import Runs

/// Frames that `pixelrl import` made of pictures. There is no environment: about a tenth of them, at the end, is held
/// out for pictures and the state probe.
public struct ImportedFrames: FrameOrigin {
  private let frames: FrameDataset
  private let imported: ImportedPictures
  private let stack: FrameStack
  public let episode: EpisodeSettings

  /// - Parameter stack: the number of stacked frames.
  /// - Throws: `InputError` if the dataset was not imported.
  public init(_ dataset: FrameDataset, _ stack: FrameStack = FrameStack()) throws {
    guard let imported = dataset.manifest.imported else {
      throw InputError("\(dataset.path) has frames of \(dataset.manifest.environment), not imported pictures")
    }
    var episode = EpisodeSettings()
    episode.size = FrameSize(width: dataset.width, height: dataset.height)
    episode.color = dataset.format == .gray ? .gray : .rgb
    (episode.fit, episode.frameStack) = (imported.fit, stack.frames)
    (frames, self.imported, self.stack, self.episode) = (dataset, imported, stack, episode)
  }

  public var id: String { imported.environment }
  public var groups: [any SettingsGroup] { [stack] }
  public var dataset: FrameDataset? { frames }
  public var isImported: Bool { true }

  public func reading(_ dataset: FrameDataset?) -> Self { self }

  public func check(_ pretraining: PretrainingSettings) throws {
    let frame = frames.height * frames.width * frames.format.channels
    guard frames.count < Host.memory / frame else {
      throw InputError(
        "the \(frames.count) frames of \(frames.path), of \(frame) bytes each, exceed this machine's memory of "
          + "\(megabytes(Host.memory)): import fewer with --every, or smaller ones with --size")
    }
    if let (setting, instead) = pretraining.needingConsecutiveFrames {
      let (episodes, past) = (frames.episodes, InverseDynamics.frames - 1)
      func endsGroup(_ index: Int) -> Bool {
        index >= past && episodes[index - past] == episodes[index] && !frames.isRepeated(index)
      }
      guard (0..<max(cut, 1)).contains(where: endsGroup) else {
        throw InputError("\(setting) needs \(past + 1) consecutive frames, which \(frames.path) lacks: use \(instead)")
      }
    }
    if let setting = pretraining.needingActions, imported.actionSpace.arrayCount == 0 {
      throw InputError("\(frames.path) has no actions, which \(setting) needs: use \(setting) 0")
    }
  }

  public func frames(in directory: RunDirectory, seed: Seed, say: (String) throws -> Void) throws -> Recording {
    let (training, heldOut) = try split()
    try say("\(training.count) frames of \(frames.path) to train on, and \(heldOut.count) held out")
    return training
  }

  public func probeFrames(_ pretraining: PretrainingSettings, seed: Seed) throws -> ProbeFrames {
    let (training, heldOut) = try split()
    return ProbeFrames(frames.path, training: training, heldOut: heldOut)
  }

  /// Returns the frames to train on, and those that are held out: the last tenth, from the beginning of an episode if
  /// one begins in the second half. A single frame is both.
  func split() throws -> (training: Recording, heldOut: Recording) {
    func part(_ range: Range<Int>) throws -> Recording {
      try Recording(frames, range, observationNames: imported.stateNames, actionSpace: imported.actionSpace)
    }
    return (try part(0..<max(cut, 1)), try part(min(cut, frames.count - 1)..<frames.count))
  }

  /// The first frame that is held out; 0 if there is only one.
  private var cut: Int { frames.cut(holdingOut: 0.1) }
}

/// The setting of the frames that an encoder of imported pictures takes.
public struct FrameStack: SettingsGroup, Hashable {
  public var frames = EpisodeSettings().frameStack

  public init() {}
  public static let title = EpisodeSettings.title
  public static var fields: [Field<Self>] {
    [Field("frame-stack", \.frames, 1...64, "number of stacked frames that the encoder takes")]
  }
}

extension PretrainingSettings {
  /// The defaults for imported pictures. Where most of a picture differs from the median image, as in photographs or
  /// with a moving camera, whole pictures are reconstructed, rather than what moves in front of a background.
  public init(for dataset: FrameDataset) {
    self.init()
    let shape = FrameShape(height: dataset.height, width: dataset.width, channels: dataset.format.channels)
    let median = FramePreparation(shape: shape, medianOf: dataset.count) { dataset.frame($0).bytes }.background
    let threshold = Int(255 * changeThreshold)
    let sampled = min(dataset.count, 255)
    let still = (0..<sampled).reduce(0) { sum, index in
      sum
        + zip(dataset.frame(index * dataset.count / sampled).bytes, median).count {
          abs(Int($0) - Int($1)) <= threshold
        }
    }
    guard still * 2 < sampled * shape.count else { return }
    (background, changeWeight, targetBlur, targetGain) = (false, 0, 0, 1)
  }
}

extension AutoencoderRecord {
  /// Opens the imported pictures that a run's autoencoder was trained on; nil if it was trained in an environment.
  ///
  /// - Throws: `WorldError` if they are missing or have changed.
  func importedFrames(of run: RunDirectory) throws -> ImportedFrames? {
    guard let source, isImported else { return nil }
    let recorded = try run.facts().inputs.first { $0.name == "dataset" }?.places ?? []
    guard let path = ([source.path] + recorded).first(where: exists) else {
      throw WorldError(path: source.path, "the pictures that \(run.path) was trained on are missing: restore them")
    }
    let dataset = try FrameDataset(path: path)
    guard dataset.fingerprint == source.fingerprint else {
      throw WorldError(path: path, "has changed since \(run.path) was trained on it: restore it, or pretrain again")
    }
    var stack = FrameStack()
    stack.frames = frameStack
    return try ImportedFrames(dataset, stack)
  }
}
