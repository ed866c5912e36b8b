import ArgumentParser
import Core
import Formats
import Runs
import Training

/// `pixelrl export`
struct Export: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Write the replay buffer in a training's newest checkpoint to a .npz file.")

  @Argument(help: ArgumentHelp("a run of 'pixelrl train'", valueName: "run"), completion: .runs)
  var folder: String

  @Option(
    help: ArgumentHelp("the file to write, which must not exist (default: RUN/replay.npz)", valueName: "file"),
    completion: .file())
  var out: String?

  @Flag(help: "print a summary as JSON in the last line")
  var json = false

  func run() throws {
    let directory = try RunDirectory(existing: folder)
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
}
