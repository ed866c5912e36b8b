import Core
import Formats
import Pixels

/// Frames of an environment with the true states and the transitions between them, in a folder of `.npy` files that
/// NumPy maps directly.
///
/// | file | shape | type | what |
/// |---|---|---|---|
/// | `frames.npy` | [N, H, W, C] | uint8 | pictures |
/// | `states.npy` | [N, S] | float64 | the true observation of each |
/// | `actions.npy` | [N, A] | float32 | the action taken at frame i |
/// | `rewards.npy` | [N] | float64 | what it gave |
/// | `discounts.npy` | [N] | float64 | 0 after `terminated` |
/// | `episodes.npy` | [N] | int64 | the number of the episode, from 0 |
///
/// Frame i+1 follows frame i by action i when both are of one episode; an episode's last frame has an action, reward
/// and discount of 0 that mean nothing. `manifest.json` says where all came from.
public struct FrameDataset: Sendable {
  public let path: String
  public let manifest: FrameDatasetManifest
  /// The xxHash64 of the manifest, which holds that of each file: two datasets that share it are the same.
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
  /// - Parameter checkingFingerprints: whether every byte is read and compared with the manifest; sizes, shapes and
  ///   types always are.
  /// - Throws: `WorldError` with the path of the file that is missing, damaged or does not fit the others.
  public init(path: String, checkingFingerprints: Bool = true) throws {
    self.path = path
    let manifestPath = "\(path)/manifest.json"
    guard exists(manifestPath) else {
      throw WorldError(path: path, "is no dataset: it has no manifest.json; 'pixelrl collect' makes one")
    }
    do {
      let bytes = try readBytes(from: manifestPath, limit: 1 << 24)
      fingerprint = unsafe xxHash64(bytes.span.bytes)
      manifest = try FrameDatasetManifest(JSON(parsing: bytes))
    } catch let error as InputError {
      throw WorldError(path: manifestPath, error.description)
    }
    frames = try NumPyArray(path: "\(path)/frames.npy")
    states = try NumPyArray(path: "\(path)/states.npy")
    actions = try NumPyArray(path: "\(path)/actions.npy")
    let rewards = try NumPyArray<Double>(path: "\(path)/rewards.npy")
    let discounts = try NumPyArray<Double>(path: "\(path)/discounts.npy")
    let episodes = try NumPyArray<Int64>(path: "\(path)/episodes.npy")

    let n = manifest.count
    guard n > 0 else { throw WorldError(path: path, "holds no frame: collect it again") }
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
    if checkingFingerprints {
      let found = [
        frames.fingerprint, states.fingerprint, actions.fingerprint, rewards.fingerprint, discounts.fingerprint,
        episodes.fingerprint,
      ]
      for (name, fingerprint) in zip(Self.files, found) {
        guard manifest.files.first(where: { $0.name == name })?.fingerprint == fingerprint else {
          throw WorldError(path: "\(path)/\(name)", "is not the file that the manifest describes: collect it again")
        }
      }
    }
    self.rewards = rewards.elements
    self.discounts = discounts.elements
    self.episodes = episodes.elements
    guard self.episodes.first ?? 0 == 0, zip(self.episodes, self.episodes.dropFirst()).allSatisfy({ 0...1 ~= $1 &- $0 })
    else { throw WorldError(path: episodes.path, "does not number its episodes from 0 in order") }
  }

  static let files = ["frames.npy", "states.npy", "actions.npy", "rewards.npy", "discounts.npy", "episodes.npy"]

  /// The bytes of a frame, [H, W, C].
  public func withFrame<Result>(_ index: Int, _ body: (Span<UInt8>) throws -> Result) rethrows -> Result {
    try frames.withRow(index, body)
  }

  /// A copy of a frame.
  public func frame(_ index: Int) -> PixelBuffer {
    PixelBuffer(width: width, height: height, format: format, bytes: frames[index])
  }

  /// Whether the next frame is what the action at this one led to.
  public func isFollowed(_ index: Int) -> Bool { index + 1 < count && episodes[index] == episodes[index + 1] }
}
