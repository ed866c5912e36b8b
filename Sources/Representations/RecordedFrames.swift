import Autoencoders
import Core
import Pixels
import Replay
import Tensors

/// Frames in time order with the actions between them: a recording, or the frames of a replay buffer.
public protocol RecordedFrames: Sendable {
  var count: Int { get }
  /// The size of a frame in bytes.
  var frameSize: Int { get }
  var actionSpace: ActionSpace { get }
  /// `[N]`: the episode of each frame, counted from 0.
  var episodes: [Int] { get }
  /// Calls `body` with the bytes of a frame.
  func withFrame<Result>(_ index: Int, _ body: (Span<UInt8>) throws -> Result) rethrows -> Result
  /// The action taken at a frame, in the policy's units; zeros at an episode's last frame.
  func action(_ index: Int) -> ArraySlice<Float>
}

extension RecordedFrames {
  /// Returns whether an episode has at least `length` frames.
  public func hasEpisode(ofFrames length: Int) -> Bool {
    episodes.indices.contains { $0 >= length - 1 && episodes[$0 - length + 1] == episodes[$0] }
  }

  /// Returns the frame and those before it, `count` in all and the oldest first. Before an episode's first frame the
  /// first one is repeated.
  public func stack(_ index: Int, of count: Int) -> [Int] {
    var indices = [index]
    while indices.count < count {
      let last = indices[indices.count - 1]
      indices.append(last > 0 && episodes[last - 1] == episodes[last] ? last - 1 : last)
    }
    return indices.reversed()
  }
}

extension ReplayFrames: RecordedFrames {}

extension LatentEncoder {
  /// Returns recorded frames as the model's input `[B, S C, H, W]`: each with the S - 1 frames before it.
  public func prepare(_ recording: some RecordedFrames, _ indices: [Int]) -> Tensor {
    guard frameStack > 1 else {
      return prepare(indices.count) { body, b in recording.withFrame(indices[b], body) }
    }
    let frames = indices.flatMap { recording.stack($0, of: frameStack) }
    return prepare(indices.count) { body, b in recording.withFrame(frames[b], body) }
  }

  /// Returns standardised latents `[N, Z]` of all recorded frames.
  public func encodeAll(_ recording: some RecordedFrames) -> Tensor { encodeAll(recording) {} }

  /// Returns standardised latents `[N, Z]` of all recorded frames, unless `check` throws, which is called before each
  /// batch of them.
  func encodeAll(_ recording: some RecordedFrames, check: () throws -> Void) rethrows -> Tensor {
    var latents: [Float] = []
    for start in stride(from: 0, to: recording.count, by: 256) {
      try check()
      let indices = Array(start..<min(start + 256, recording.count))
      latents.append(contentsOf: encode(prepared: prepare(recording, indices)).array)
    }
    return Tensor(latents, [recording.count, latentSize])
  }
}
