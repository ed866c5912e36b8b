import ArgumentParser
import Core
import Formats
import Runs
import Training

/// `pixelrl export`
struct Export: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Write a run's encoder and policy as ONNX files, or its replay buffer as a .npz file or a dataset.",
    discussion: """
      Without --onnx, the replay buffer in the newest checkpoint of a training is written: its latents or states, \
      actions and rewards as a .npz file; or with --dataset its frames, actions and rewards as a dataset, which \
      'pixelrl pretrain-ae' and 'pixelrl train' read. Replay buffers have frames with --encoder rounds, bursts, and all \
      places that train the encoder at each update.

      With --onnx, a folder with encoder.onnx, from frames to latents, and policy.onnx, from the last latents and \
      actions to the next action; of a run of 'pixelrl pretrain-ae' only the encoder. Their metadata say what each \
      input and output is.
      """)

  @Argument(
    help: ArgumentHelp("a run of 'pixelrl train' or 'pixelrl pretrain-ae'", valueName: "run"), completion: .runs)
  var folder: String

  @Flag(help: "write the encoder and the policy as ONNX files")
  var onnx = false

  @Flag(help: "write the frames of the replay buffer as a dataset")
  var dataset = false

  @Option(
    help: ArgumentHelp(
      "the file or folder to write, which must not exist (default: RUN/replay.npz, RUN/replay, or RUN/onnx)",
      valueName: "path"),
    completion: .file())
  var out: String?

  @Flag(help: "print a summary as JSON in the last line")
  var json = false

  func run() throws {
    let directory = try RunDirectory(existing: folder)
    guard !onnx || !dataset else { throw InputError("--onnx and --dataset write different things: give one") }
    if onnx { return try writeModels(of: directory) }
    let replay = try SavedReplay(of: directory)
    if dataset { return try writeDataset(of: replay, to: out ?? directory.file("replay")) }
    let path = out ?? directory.file("replay.npz")
    try replay.write(to: path)
    let count = replay.contents.count
    try printLine("\(count) latents of size \(replay.layout.latentSize) at step \(replay.step): \(path)")
    guard json else { return }
    let summary: JSON = [
      "replay": .string(path), "run": .string(folder), "env_steps": .integer(replay.step), "latents": .integer(count),
      "latent_size": .integer(replay.layout.latentSize),
    ]
    try printLine(summary.description)
  }

  private func writeDataset(of replay: SavedReplay, to path: String) throws {
    try replay.writeDataset(to: path)
    let dataset = try FrameDataset(path: path)
    let episodes = dataset.manifest.episodeCount
    try printLine(
      "\(dataset.count) frames of \(episodes) episodes, mean return "
        + "\(shortened(dataset.rewards.reduce(0, +) / Double(episodes))): \(path)")
    guard json else { return }
    let summary: JSON = [
      "dataset": .string(path), "run": .string(folder), "env_steps": .integer(replay.step),
      "frames": .integer(dataset.count), "episodes": .integer(episodes),
    ]
    try printLine(summary.description)
  }

  private func writeModels(of run: RunDirectory) throws {
    let path = out ?? run.file("onnx")
    let export = try ONNXExport(of: run)
    try export.write(to: path)
    try printLine("\(export.models.map(\.file).joined(separator: " and ")): \(path)")
    guard json else { return }
    let files = export.models.map { JSON.string("\(path)/\($0.file)") }
    try printLine((["models": .array(files), "run": .string(folder)] as JSON).description)
  }
}
