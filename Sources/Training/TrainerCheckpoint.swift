import Agents
import Core
import Environments
import Replay
import Runs

/// A trainer on the disk: its state, the segments of its replay buffer and, where the observer learns on, of the frames.
extension Trainer {
  private static var part: String { "trainer.plist" }

  private struct Contents: Codable {
    var state: State
    var replay: ReplayBuffer.Index
    var recordings: [Recording]
  }

  /// Writes all that the future depends on.
  ///
  /// - Throws: `NotFinite` where a parameter is not a number: what is on the disk stays good; `WorldError` with the path.
  func save(to writer: inout CheckpointWriter) throws {
    try requireFinite(agent, step: envSteps)
    let contents = Contents(state: state, replay: replay.index, recordings: recordings)
    try writer.write(Self.part) { try encoded(contents) }
    for segment in replay.segments {
      try writer.write(segment.file, revision: segment.revision) { replay.bytes(of: segment) }
    }
    for (lane, recording) in recordings.enumerated() {
      for segment in recording.segments {
        try writer.write(segment.file(lane), revision: segment.count) { recording.frameBytes(of: segment) }
      }
    }
  }

  /// Takes everything back from a checkpoint of a trainer with the same settings.
  ///
  /// - Throws: `Damage` with the path of what is damaged or does not fit.
  mutating func restore(from checkpoint: Checkpoint) throws {
    let contents = try decoded(Contents.self, from: checkpoint, Self.part)
    do {
      try replay.restore(contents.replay) { try checkpoint.bytes(of: $0.file) }
    } catch let error as InputError { throw Damage(path: checkpoint.path, error.description) }
    recordings = contents.recordings
    for lane in recordings.indices {
      for segment in recordings[lane].segments {
        try recordings[lane].appendFrames(checkpoint.bytes(of: segment.file(lane)))
      }
    }
    state = contents.state
  }
}

extension ReplayBuffer.Segment {
  var file: String { "replay-\(lane)-\(index).bin" }
}

extension Recording {
  /// Neighbouring frames.
  struct Segment {
    let first: Int
    let count: Int

    func file(_ lane: Int) -> String { "frames-\(lane)-\(first).bin" }
  }

  /// All frames in segments, of which only the last one grows.
  var segments: [Segment] {
    stride(from: 0, to: count, by: 1024).map { Segment(first: $0, count: min(1024, count - $0)) }
  }

  func frameBytes(of segment: Segment) -> [UInt8] {
    Array(frames[segment.first * frameSize..<(segment.first + segment.count) * frameSize])
  }

  mutating func appendFrames(_ bytes: [UInt8]) { frames.append(contentsOf: bytes) }
}
