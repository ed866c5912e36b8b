import Core
import Formats
import Pixels

/// Writes a frame dataset frame by frame. Its folder gets its name, complete, with `commit`.
public struct FrameDatasetWriter: ~Copyable {
  public let path: String
  private let folder: NewFolder
  /// The description of the frames. `environmentSteps` may be set until `commit`.
  public var manifest: FrameDatasetManifest
  private let actionSize: Int

  private var frames: NumPyWriter<UInt8>
  private var states: NumPyWriter<Double>
  private var actions: NumPyWriter<Float>
  private var rewards: NumPyWriter<Double>
  private var discounts: NumPyWriter<Double>
  private var episodes: NumPyWriter<Int64>

  /// - Parameters:
  ///   - path: The folder, which must be new or empty.
  ///   - frame: A frame with the size and format of all frames.
  ///   - stateSize, actionSize: The sizes of a state and of an action array.
  /// - Throws: `InputError` if the folder is not empty, `WorldError` with the path and the system's reason.
  public init(
    path: String, manifest: FrameDatasetManifest, frame: PixelBuffer, stateSize: Int, actionSize: Int
  ) throws {
    let folder = try NewFolder(at: path)
    let inside = folder.path
    // Open all files before initialising the properties: a noncopyable value cannot throw when half initialised.
    let frames = try NumPyWriter<UInt8>(
      path: "\(inside)/frames.npy", rowShape: [frame.height, frame.width, frame.channels])
    let states = try NumPyWriter<Double>(path: "\(inside)/states.npy", rowShape: [stateSize])
    let actions = try NumPyWriter<Float>(path: "\(inside)/actions.npy", rowShape: [actionSize])
    let rewards = try NumPyWriter<Double>(path: "\(inside)/rewards.npy", rowShape: [])
    let discounts = try NumPyWriter<Double>(path: "\(inside)/discounts.npy", rowShape: [])
    let episodes = try NumPyWriter<Int64>(path: "\(inside)/episodes.npy", rowShape: [])
    self.path = path
    self.manifest = manifest
    self.actionSize = actionSize
    self.folder = folder
    self.frames = frames
    self.states = states
    self.actions = actions
    self.rewards = rewards
    self.discounts = discounts
    self.episodes = episodes
  }

  /// Adds an episode's first frame.
  public mutating func start(_ frame: PixelBuffer, state: [Double]) throws {
    try closeEpisode()
    manifest.episodeCount += 1
    try add(frame, state)
  }

  /// Adds the frame that an action led to.
  public mutating func append(action: [Double], _ step: Step, _ frame: PixelBuffer, state: [Double]) throws {
    precondition(manifest.episodeCount > 0, "an episode begins with start(_:state:)")
    try close(action: action.map { Float($0) }, step.reward, step.discount)
    try add(frame, state)
  }

  /// Completes the files, writes the manifest last and gives the folder its final name.
  public consuming func commit() throws {
    try closeEpisode()
    precondition(manifest.count > 0, "a dataset has at least one frame")
    var manifest = manifest
    let inside = folder.path
    try frames.commit()
    try states.commit()
    try actions.commit()
    try rewards.commit()
    try discounts.commit()
    try episodes.commit()
    manifest.files = try FrameDataset.files.map { name in
      let file = try MappedFile(path: "\(inside)/\(name)")
      return .init(name: name, bytes: file.count, fingerprint: file.withBytes { xxHash64($0) })
    }
    try writeAtomically(Array(manifest.json.indented.utf8), to: "\(inside)/manifest.json")
    try folder.commit(last: "manifest.json")
  }

  private mutating func add(_ frame: PixelBuffer, _ state: [Double]) throws {
    try frames.append(frame.bytes)
    try states.append(state)
    try episodes.append([Int64(manifest.episodeCount - 1)])
    manifest.count += 1
  }

  private mutating func closeEpisode() throws {
    if manifest.count > 0 { try close(action: [Float](repeating: 0, count: actionSize), 0, 0) }
  }

  /// Appends the action, reward and discount of the newest frame, which are known only when the next frame arrives.
  private mutating func close(action: [Float], _ reward: Double, _ discount: Double) throws {
    try actions.append(action)
    try rewards.append([reward])
    try discounts.append([discount])
  }
}
