import ArgumentParser
import Core
import Formats
import Runs
import Training

/// `pixelrl export`
struct Export: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Write a run's encoder and policy as ONNX files, or its replay buffer as a .npz file.",
    discussion: """
      Without --onnx, the replay buffer in the newest checkpoint of a training is written.

      With --onnx, a folder with encoder.onnx, from frames to latents, and policy.onnx, from the last latents and \
      actions to the next action; of a run of 'pixelrl pretrain-ae' only the encoder. Their metadata say what each \
      input and output is.
      """)

  @Argument(
    help: ArgumentHelp("a run of 'pixelrl train' or 'pixelrl pretrain-ae'", valueName: "run"), completion: .runs)
  var folder: String

  @Flag(help: "write the encoder and the policy as ONNX files")
  var onnx = false

  @Option(
    help: ArgumentHelp(
      "the file or folder to write, which must not exist (default: RUN/replay.npz, or RUN/onnx)", valueName: "path"),
    completion: .file())
  var out: String?

  @Flag(help: "print a summary as JSON in the last line")
  var json = false

  func run() throws {
    let directory = try RunDirectory(existing: folder)
    if onnx { return try writeModels(of: directory) }
    let replay = try SavedReplay(of: directory)
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
