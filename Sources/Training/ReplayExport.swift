import Core
import Environments
import Formats
import Pixels
import Replay
import Runs

/// The replay buffer of a training in its newest checkpoint.
public struct SavedReplay: Sendable {
  public let contents: ReplayContents
  public let layout: HistoryLayout
  /// The frames, if the encoder's place stores them, in the same order; nil otherwise.
  private let frames: ReplayFrames?
  private let keepsLatents: Bool
  private let run: RunDirectory
  /// The number of simulator steps at the checkpoint.
  public let step: Int

  private struct Part: Decodable {
    let replay: ReplayBuffer.Index
  }

  /// - Throws: `InputError` if the run has no checkpoint of a training, `WorldError` or `DamagedFile` with the path.
  public init(of run: RunDirectory) throws {
    guard try run.facts().command == "train" else {
      throw InputError("\(run.path) is not a run of 'pixelrl train': only those have a replay buffer")
    }
    self.run = run
    guard let checkpoint = try Checkpoint.newest(in: run.file("checkpoints")) else {
      throw InputError("\(run.path) has no checkpoint yet: its replay buffer is only in memory until the first one")
    }
    let index = try decoded(Part.self, from: checkpoint, "trainer.plist").replay
    do {
      let replay = try ReplayBuffer.restored(index, limit: Host.memory) { try checkpoint.bytes(of: $0.file) }
      (contents, layout, step) = (replay.contents, replay.layout, checkpoint.step)
      keepsLatents = replay.memory.keepsLatents
      frames = replay.memory.frameSize > 0 ? replay.allFrames : nil
    } catch let error as InputError { throw DamagedFile(path: checkpoint.path, error.description) }
  }

  /// Writes `latents`, `actions`, `rewards`, `discounts`, `first` and `transition` as a `.npz` file.
  ///
  /// - Throws: `InputError` if the buffer stores no latents or the file exists, `WorldError` with the path.
  public func write(to path: String) throws {
    guard keepsLatents else {
      throw InputError(
        "the replay buffer of \(run.path) stores frames and no latents, because the encoder learns at each update: use "
          + "--dataset to write its frames")
    }
    guard !exists(path) else { throw InputError("\(path) exists: choose another name with --out, or remove it") }
    let count = contents.count
    var archive = try NumPyArchiveWriter(path: path)
    try archive.append("latents", contents.latents, shape: [count, layout.latentSize])
    try archive.append("actions", contents.actions, shape: [count, layout.actionSpace.arrayCount])
    try archive.append("rewards", contents.rewards, shape: [count])
    try archive.append("discounts", contents.discounts, shape: [count])
    try archive.append("first", contents.first, shape: [count])
    try archive.append("transition", contents.transition, shape: [count])
    try archive.commit()
  }

  /// Writes the frames with their actions, rewards and discounts as a dataset, which has no states.
  ///
  /// - Throws: `InputError` if the buffer stores no frames or the folder is not empty, `WorldError` with the path.
  public func writeDataset(to folder: String) throws {
    guard let frames else {
      throw InputError(
        "the replay buffer of \(run.path) stores no frames: only those of --encoder rounds, bursts and the places that "
          + "learn at each update do; leave out --dataset to write its latents")
    }
    let (facts, space) = (try run.facts(), layout.actionSpace)
    var episode = EpisodeSettings()
    try run.settings().apply(to: &episode)
    var frame = episode.blankFrame
    var writer = try FrameDatasetWriter(
      path: folder,
      manifest: FrameDatasetManifest(
        environment: facts.environment, settings: episode, seed: Seed(facts.seed), policy: "replay of \(facts.member)"),
      frame: frame, stateSize: 0, actionSize: space.arrayCount)
    writer.manifest.environmentSteps = step
    for i in 0..<frames.count {
      frames.withFrame(i) { bytes in frame.bytes = bytes.indices.map { bytes[$0] } }
      if i > 0, frames.episodes[i] == frames.episodes[i - 1] {
        let action = Array(frames.action(i - 1))
        try writer.append(
          action: space.denormalized(action.span),
          Step(reward: Double(contents.rewards[i - 1]), discount: Double(contents.discounts[i - 1])), frame, state: [])
      } else {
        try writer.start(frame, state: [])
      }
    }
    try writer.commit()
  }
}
