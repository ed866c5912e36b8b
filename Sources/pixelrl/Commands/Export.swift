import ArgumentParser
import Core
import Environments
import Formats
import Imports
import Representations
import Runs
import Training

/// `pixelrl export`
struct Export: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Write a run's encoder and policy as ONNX files, its replay buffer, or a dataset for another library.",
    discussion: """
      Without a flag, the replay buffer in the newest checkpoint of a training is written: its latents or states, actions \
      and rewards as a .npz file; or with --dataset its frames, actions and rewards as a dataset, which 'pixelrl \
      pretrain-ae' and 'pixelrl train' read. Replay buffers have frames with --encoder rounds, bursts, and all places that \
      train the encoder at each update.

      With --onnx, a folder with encoder.onnx, from frames to latents, and policy.onnx, from the last latents and \
      actions to the next action; of a run of 'pixelrl pretrain-ae' only the encoder. Their metadata say what each \
      input and output is.

      With --minari or --lerobot, a dataset of frames is written in the format of that library, which must be installed \
      in Python. A run of 'pixelrl pretrain-ae' has a dataset; of an agent's play, 'pixelrl collect --policy-run RUN' \
      makes one.
      """)

  @Argument(
    help: ArgumentHelp(
      "a run of 'pixelrl train' or 'pixelrl pretrain-ae'; with --minari or --lerobot also a dataset", valueName: "run"),
    completion: .runs)
  var folder: String

  @Flag(help: "write the encoder and the policy as ONNX files")
  var onnx = false

  @Flag(help: "write the frames of the replay buffer as a dataset")
  var dataset = false

  @Option(
    help: ArgumentHelp("write a dataset of Minari, whose name ends with its version: cartpole-v0", valueName: "folder"),
    completion: .directory)
  var minari: String?

  @Option(help: ArgumentHelp("write a dataset of LeRobot", valueName: "folder"), completion: .directory)
  var lerobot: String?

  @Option(
    help: ArgumentHelp(
      "the file or folder to write, which must not exist (default: RUN/replay.npz, RUN/replay, or RUN/onnx)",
      valueName: "path"),
    completion: .file())
  var out: String?

  @Flag(help: "print a summary as JSON in the last line")
  var json = false

  func run() throws {
    let libraries: [(PythonLibrary, String?)] = [(.minari, minari), (.lerobot, lerobot)]
    let asked = libraries.compactMap { library, folder in folder.map { (library, $0) } }
    guard asked.count + (onnx ? 1 : 0) + (dataset ? 1 : 0) <= 1 else {
      throw InputError("--onnx, --dataset, --minari and --lerobot each write something else: use one of them at a time")
    }
    if let (library, target) = asked.first {
      guard out == nil else { throw InputError("--\(library.rawValue) names the folder to write: leave out --out") }
      return try writeDataset(for: library, to: target)
    }
    guard !exists("\(folder)/manifest.json") else {
      throw InputError("\(folder) is a dataset: export it with --minari FOLDER or --lerobot FOLDER")
    }
    let directory = try RunDirectory(existing: folder)
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

  private func writeDataset(for library: PythonLibrary, to target: String) throws {
    Interruption.listen()
    let dataset = try FrameDataset(path: try datasetFolder())
    let (space, names) = try meaning(of: dataset)
    try DatasetExport(dataset, to: library, space, stateNames: names).write(to: target)
    let manifest = dataset.manifest
    try printLine("\(manifest.count) frames of \(manifest.episodeCount) episodes, for \(library.title): \(target)")
    guard json else { return }
    let summary: JSON = [
      "dataset": .string(target), "source": .string(dataset.path), "frames": .integer(manifest.count),
      "episodes": .integer(manifest.episodeCount),
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

  /// The folder of the dataset: the given one, or that of a pretraining.
  private func datasetFolder() throws -> String {
    if exists("\(folder)/manifest.json") { return folder }
    let run = try RunDirectory(existing: folder)
    let own = run.file("dataset")
    if exists(own) { return own }
    if try run.facts().command == "train" {
      var encoder = EncoderSettings()
      try run.settings().apply(to: &encoder)
      let storesFrames = try encoder.observe == .latent && Places.named(encoder.place).stores != .latents
      throw InputError(
        "\(folder) has no dataset of frames: make one with 'pixelrl collect --policy-run \(folder) --out DATASET'"
          + (storesFrames ? ", or with 'pixelrl export \(folder) --dataset --out DATASET'" : "") + ", then export that")
    }
    throw InputError("\(folder) was trained on a dataset elsewhere: export that dataset")
  }

  /// The actions and the names of the states of a dataset.
  private func meaning(of dataset: FrameDataset) throws -> (ActionSpace, [String]) {
    if let imported = dataset.manifest.imported { return (imported.actionSpace, imported.stateNames) }
    let spec = try Environments.named(dataset.manifest.environment).spec
    return (spec.actionSpace, spec.observationNames)
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
