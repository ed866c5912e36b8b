import Agents
import Core
import Environments
import Formats
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
    let new = Contents(state: state, replay: replay.index, recordings: recordings)
    let contents = try decoded(Contents.self, from: checkpoint, Self.part, like: new, Self.form) {
      if let complaint = complaint(about: $0) { throw InputError(complaint) }
    }
    do {
      try replay.restore(contents.replay) { try checkpoint.bytes(of: $0.file) }
      if let complaint = complaintAboutReplay(contents) { throw InputError(complaint) }
      recordings = contents.recordings
      for lane in recordings.indices {
        for segment in recordings[lane].segments {
          try recordings[lane].appendFrames(of: segment, checkpoint.bytes(of: segment.file(lane)))
        }
      }
    } catch let error as InputError { throw Damage(path: checkpoint.path, error.description) }
    state = contents.state
  }

  /// In what a trainer that went on differs from a new one.
  private static var form: StateForm {
    StateForm(
      changing: [
        // of an agent
        "updates", "decisions", "copiedAt", "seen", "control",
        // of its optimisers, of an episode and a history
        "steps", "totalSteps", "episodeReturn", "ending", "environment",
        "histories.latents", "histories.actions", "history.latents", "history.actions",
        // of the trainer
        "envSteps", "hasBegun", "hasLearnedOn", "last", "owed", "remaining", "retrainings",
      ], growing: ["replay", "recordings", "starts", "priorities", "held"])
  }

  /// Says what keeps contents that have the form of this trainer's from going on, or nothing.
  private func complaint(about contents: Contents) -> String? {
    let state = contents.state
    guard contents.recordings.count == recordings.count, state.explorations.count == self.state.explorations.count
    else {
      return "it is of \(contents.recordings.count) recorded lanes, not of \(recordings.count)"
    }
    for (stored, new) in zip(contents.recordings, recordings) {
      if let complaint = stored.complaint(like: new) { return complaint }
    }
    let episodes =
      zip(state.episodes, self.state.episodes) + zip(state.workers, self.state.workers).map { ($0.episode, $1.episode) }
    let histories = state.histories + state.workers.map(\.history)
    return episodes.lazy.compactMap { $0.complaint(like: $1) }.first
      ?? histories.lazy.compactMap { [layout] in $0.complaint(layout) }.first
      ?? state.explorations.lazy.compactMap { [layout] in $0.complaint(in: layout.actionSpace) }.first
  }

  /// The same of what must go with the replay buffer, which is restored by then.
  private func complaintAboutReplay(_ contents: Contents) -> String? {
    let lanes = replay.written
    if let complaint = contents.state.schedule.complaint(replay, steps: contents.state.envSteps) { return complaint }
    guard !contents.state.hasBegun || settings.asynchronous || lanes.allSatisfy(\.inEpisode) else {
      return "no episode goes on in a lane of the replay buffer"
    }
    guard contents.recordings.isEmpty || zip(contents.recordings, lanes).allSatisfy({ $0.count == $1.count }) else {
      return "the recorded frames are not those of the replay buffer"
    }
    return nil
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

  /// - Throws: `InputError` where the bytes are not those of so many frames.
  mutating func appendFrames(of segment: Segment, _ bytes: [UInt8]) throws {
    guard bytes.count == segment.count * frameSize else {
      throw InputError("\(segment.count) frames of \(frameSize) bytes cannot be \(bytes.count) bytes")
    }
    frames.append(contentsOf: bytes)
  }
}

extension Checkpoints.Cost {
  var json: JSON {
    [
      "written": .integer(checkpoints), "seconds": .number(seconds), "mb_written": .number(Double(bytesWritten) / 1e6),
      "mb_linked": .number(Double(bytesLinked) / 1e6),
    ]
  }
}

/// Tells apart runs whose checkpoints do not fit each other.
func fingerprint(
  of groups: [any SettingsGroup], _ environment: String, _ member: String, _ seed: Seed
) -> UInt64 {
  let settings = groups.flatMap { group in group.record.map { "\(group.title).\($0.key)=\($0.text)" } }
  return xxHash64(Array("\(environment)\n\(member)\n\(seed.value)\n\(settings.joined(separator: "\n"))".utf8))
}
