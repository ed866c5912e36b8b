import Autoencoders
import Core
import Formats
import Pixels
import Runs

/// Encodes frames as they come, and writes their latents as a `.npy` file: float32 `[N, Z]`, standardised as an agent
/// gets them. `commit` creates the file; without it nothing is written.
public struct LatentWriter<Model: Autoencoder>: ~Copyable {
  private let encoder: LatentEncoder<Model>
  private var file: NumPyWriter<Float>
  /// The last frames of the episode, as many as the encoder takes, the newest last.
  private var recent: [PixelBuffer] = []
  /// Stacks that are not encoded yet, one after the other.
  private var pending: [PixelBuffer] = []

  /// The number of frames that are encoded at once.
  private static var batch: Int { 64 }

  /// - Throws: `InputError` if the file exists or has another ending, `WorldError` with the path, like all other
  ///   methods.
  public init(path: String, _ encoder: LatentEncoder<Model>) throws {
    guard path.hasSuffix(".npy") else {
      throw InputError("--out takes the name of a .npy file, such as latents.npy, not '\(path)'")
    }
    guard !exists(path) else { throw InputError("\(path) exists: choose another name with --out, or remove it") }
    // Open the file before initialising the properties: a noncopyable value cannot throw when half initialised.
    let file = try NumPyWriter<Float>(path: path, rowShape: [encoder.latentSize])
    self.encoder = encoder
    self.file = file
  }

  /// Adds a frame of the encoder's size.
  ///
  /// - Parameter beginsEpisode: whether the frames before it belong to another episode. Then they are not stacked with
  ///   it.
  public mutating func append(_ frame: PixelBuffer, beginsEpisode: Bool) throws {
    if beginsEpisode { recent = Array(repeating: frame, count: encoder.frameStack) }
    recent.removeFirst()
    recent.append(frame)
    pending += recent
    if pending.count >= Self.batch * encoder.frameStack { try encode() }
  }

  /// Completes the file and returns the number of latents.
  public consuming func commit() throws -> Int {
    try encode()
    let count = file.rowCount
    try file.commit()
    return count
  }

  private mutating func encode() throws {
    guard !pending.isEmpty else { return }
    try file.append(encoder.encode(pending).array)
    pending.removeAll(keepingCapacity: true)
  }
}
