import Agents
import Core
import Environments
import Formats
import Replay
import Representations
import Runs

/// Saving and restoring a trainer: its state, and the segments of its replay buffer.
extension Trainer {
  private static var part: String { "trainer.plist" }

  private struct Contents: Codable {
    var state: State
    var replay: ReplayBuffer.Index
  }

  /// Writes everything that the rest of the training depends on.
  ///
  /// - Throws: `NotFinite` if a parameter is not finite, before anything is written; `WorldError` with the path.
  func save(to writer: inout CheckpointWriter) throws {
    try requireFinite(agent, step: stepCount)
    let contents = Contents(state: state, replay: replay.index)
    try writer.write(Self.part) { try encoded(contents) }
    for segment in replay.segments {
      try writer.write(segment.file, revision: segment.revision) { replay.bytes(of: segment) }
    }
  }

  /// Restores a trainer with the same settings from a checkpoint.
  ///
  /// - Throws: `DamagedFile` with the path of the file that is damaged or does not fit.
  mutating func restore(from checkpoint: Checkpoint) throws {
    let new = Contents(state: state, replay: replay.index)
    let contents = try decoded(Contents.self, from: checkpoint, Self.part, like: new, Self.form) {
      try validate($0)
    }
    do {
      try replay.restore(contents.replay) { try checkpoint.bytes(of: $0.file) }
      try validateReplay(contents)
    } catch let error as InputError { throw DamagedFile(path: checkpoint.path, error.description) }
    state = contents.state
  }

  /// The parts of a trainer's state that change during training.
  private static var form: StateForm {
    let changing: Set = [
      // of any agent and of its normalised observations
      "updates", "seen",
      // of its optimisers, of an episode and a history
      "steps", "totalSteps", "episodeReturn", "ending", "environment",
      "history.latents", "history.actions", "distraction.time", "distraction.tints", "distraction.pose",
      "distraction.rates",
      // of the trainer
      "envSteps", "hasBegun", "last", "owed", "remaining", "seenRevision",
      // of its representation
      "revision", "rounds",
    ]
    return StateForm(changing: changing.union(A.changingState), growing: ["replay", "starts", "held"])
  }

  /// Checks that the contents of a checkpoint fit this trainer.
  private func validate(_ contents: Contents) throws(InputError) {
    let state = contents.state
    let (play, new) = (state.play, self.state.play)
    guard play.episodes.count == new.episodes.count, play.lanes.count == new.lanes.count,
      state.explorations.count == self.state.explorations.count
    else { throw InputError("it has \(play.episodes.count) environments, not \(new.episodes.count)") }
    for (episode, new) in zip(play.episodes, new.episodes) { try episode.validate(against: new) }
    for lane in play.lanes { try lane.history.validate(against: layout) }
    for exploration in state.explorations { try exploration.validate(in: layout.actionSpace) }
  }

  /// Checks the contents against the restored replay buffer.
  private func validateReplay(_ contents: Contents) throws(InputError) {
    let lanes = replay.written
    try contents.state.schedule.validate(against: replay, steps: contents.state.envSteps)
    guard !contents.state.hasBegun || lanes.allSatisfy(\.inEpisode) else {
      throw InputError("a lane of the replay buffer has no running episode")
    }
  }
}

extension ReplayBuffer.Segment {
  var file: String { "\(holdsFrames ? "frames" : "replay")-\(lane)-\(index).bin" }
}

extension Checkpoints.Cost {
  var json: JSON {
    [
      "written": .integer(checkpoints), "seconds": .number(seconds), "mb_written": .number(Double(bytesWritten) / 1e6),
      "mb_linked": .number(Double(bytesLinked) / 1e6),
    ]
  }
}

/// A hash that differs between runs whose checkpoints do not fit each other.
///
/// - Parameter left: the keys of settings that may differ.
func fingerprint(
  of groups: [any SettingsGroup], _ environment: String, _ member: String, _ seed: Seed,
  leavingOut left: Set<String> = []
) -> UInt64 {
  let settings = groups.flatMap { group in
    // As in older versions, which did not have some of the settings.
    let added = type(of: group).addedLater
    return group.record.filter { !left.contains($0.key) && added[$0.key] != $0.text }
      .map { "\(group.title).\($0.key)=\($0.text)" }
  }
  return xxHash64(Array("\(environment)\n\(member)\n\(seed.value)\n\(settings.joined(separator: "\n"))".utf8))
}
