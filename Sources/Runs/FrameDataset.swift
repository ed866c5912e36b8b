import Core
import Formats
import Pixels

/// Frames of an environment, or imported pictures, with the true states and the transitions between them, in a folder
/// of `.npy` files that NumPy can memory-map. Imported pictures may have states or actions of size 0.
///
/// | file | shape | type | content |
/// |---|---|---|---|
/// | `frames.npy` | [N, H, W, C] | uint8 | the frames |
/// | `states.npy` | [N, S] | float64 | the true state at frame i |
/// | `actions.npy` | [N, A] | float32 | the action taken at frame i |
/// | `rewards.npy` | [N] | float64 | the reward of that action |
/// | `discounts.npy` | [N] | float64 | the discount after that action: 0 if terminated |
/// | `episodes.npy` | [N] | int64 | the index of the episode, from 0 |
///
/// If frames i and i+1 are in the same episode, action i led from one to the other. An episode's last frame has an
/// action, reward and discount of 0, which are placeholders. `manifest.json` records the origin of the data.
public struct FrameDataset: Sendable {
  public let path: String
  public let manifest: FrameDatasetManifest
  /// The xxHash64 of the manifest, which contains the hash of each file. Datasets with equal fingerprints are equal.
  public let fingerprint: UInt64
  public let frames: NumPyArray<UInt8>
  public let states: NumPyArray<Double>
  public let actions: NumPyArray<Float>
  public let rewards: [Double]
  public let discounts: [Double]
  public let episodes: [Int64]

  public var count: Int { frames.rowCount }
  public var height: Int { frames.shape[1] }
  public var width: Int { frames.shape[2] }
  public var format: PixelFormat { frames.shape[3] == 1 ? .gray : .rgb }

  /// Opens and checks a dataset.
  ///
  /// - Parameter checkingFingerprints: Whether all bytes are read and compared with the manifest. Sizes, shapes and
  ///   types are always checked.
  /// - Throws: `WorldError` with the path of a file that is missing, damaged or does not fit the others.
  public init(path: String, checkingFingerprints: Bool = true) throws {
    self.path = path
    (manifest, fingerprint) = try FrameDatasetManifest.read(folder: path)
    frames = try NumPyArray(path: "\(path)/frames.npy")
    states = try NumPyArray(path: "\(path)/states.npy")
    actions = try NumPyArray(path: "\(path)/actions.npy")
    let rewards = try NumPyArray<Double>(path: "\(path)/rewards.npy")
    let discounts = try NumPyArray<Double>(path: "\(path)/discounts.npy")
    let episodes = try NumPyArray<Int64>(path: "\(path)/episodes.npy")

    let n = manifest.count
    guard n > 0 else { throw WorldError(path: path, "has no frames: make it again") }
    guard frames.shape.count == 4, frames.shape[0] == n, [1, 3].contains(frames.shape[3]), frames.rowSize > 0 else {
      throw WorldError(path: frames.path, "has the shape \(frames.shape), not [\(n), H, W, 1 or 3]")
    }
    for (array, shape) in [(states.path, states.shape), (actions.path, actions.shape)] {
      guard shape.count == 2, shape[0] == n else {
        throw WorldError(path: array, "has the shape \(shape), not [\(n), S]")
      }
    }
    for (array, shape) in [
      (rewards.path, rewards.shape), (discounts.path, discounts.shape), (episodes.path, episodes.shape),
    ] {
      guard shape == [n] else { throw WorldError(path: array, "has the shape \(shape), not [\(n)]") }
    }
    if let imported = manifest.imported {
      guard states.shape[1] == imported.stateNames.count, actions.shape[1] == imported.actionSpace.arrayCount else {
        throw WorldError(path: path, "has states or actions of another size than its manifest says: import it again")
      }
    }
    if checkingFingerprints {
      let found = [
        frames.fingerprint, states.fingerprint, actions.fingerprint, rewards.fingerprint, discounts.fingerprint,
        episodes.fingerprint,
      ]
      for (name, fingerprint) in zip(Self.files, found) {
        guard manifest.files.first(where: { $0.name == name })?.fingerprint == fingerprint else {
          throw WorldError(path: "\(path)/\(name)", "does not match its fingerprint in the manifest: collect it again")
        }
      }
    }
    self.rewards = rewards.elements
    self.discounts = discounts.elements
    self.episodes = episodes.elements
    guard self.episodes.first ?? 0 == 0, zip(self.episodes, self.episodes.dropFirst()).allSatisfy({ 0...1 ~= $1 &- $0 })
    else { throw WorldError(path: episodes.path, "does not number its episodes 0, 1, 2, …") }
  }

  static let files = ["frames.npy", "states.npy", "actions.npy", "rewards.npy", "discounts.npy", "episodes.npy"]

  /// Calls `body` with the bytes of a frame, [H, W, C].
  public func withFrame<Result>(_ index: Int, _ body: (Span<UInt8>) throws -> Result) rethrows -> Result {
    try frames.withRow(index, body)
  }

  /// Returns a copy of a frame.
  public func frame(_ index: Int) -> PixelBuffer {
    PixelBuffer(width: width, height: height, format: format, bytes: frames[index])
  }

  /// Whether a frame is the one before it once more: so an import ends a task of whose end there is no picture.
  public func isRepeated(_ index: Int) -> Bool {
    manifest.imported != nil && index > 0 && isFollowed(index - 1) && discounts[index - 1] == 0
      && frames[index] == frames[index - 1]
  }

  /// Whether the next frame is in the same episode.
  public func isFollowed(_ index: Int) -> Bool { index + 1 < count && episodes[index] == episodes[index + 1] }
}
