import Core
import Formats
import Replay
import Runs

/// The replay buffer of a training in its newest checkpoint.
public struct SavedReplay: Sendable {
  public let contents: ReplayContents
  public let layout: HistoryLayout
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
    guard let checkpoint = try Checkpoint.newest(in: run.file("checkpoints")) else {
      throw InputError("\(run.path) has no checkpoint yet: its replay buffer is only in memory until the first one")
    }
    let index = try decoded(Part.self, from: checkpoint, "trainer.plist").replay
    do {
      let replay = try ReplayBuffer.restored(index, limit: Host.memory) { try checkpoint.bytes(of: $0.file) }
      (contents, layout, step) = (replay.contents, replay.layout, checkpoint.step)
    } catch let error as InputError { throw DamagedFile(path: checkpoint.path, error.description) }
  }

  /// Writes `latents`, `actions`, `rewards`, `discounts`, `first` and `transition` as a `.npz` file.
  ///
  /// - Throws: `InputError` if the file exists, `WorldError` with the path.
  public func write(to path: String) throws {
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
}
