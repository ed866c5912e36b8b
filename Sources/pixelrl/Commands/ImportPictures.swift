import ArgumentParser
import Core
import Environments
import Formats
import Imports
import Pixels
import Runs

/// `pixelrl import`
struct ImportPictures: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "import",
    abstract:
      "Make a dataset of your own pictures: PNG or JPEG files, a video, arrays, or a dataset of Minari or LeRobot.",
    discussion: """
      A folder's files are taken in the order of their names, with numbers compared as numbers, and each \
      sub-folder is an episode. Python's Pillow reads JPEG files, and ffmpeg reads videos. A .npz file may also have \
      actions, rewards and ends of episodes; each .npz file of a folder starts an episode. \
      minari:NAME and lerobot:NAME are datasets of these libraries, which read or download them in Python; NAME may be \
      the path of a folder. Train on the dataset with \
      'pixelrl pretrain-ae --dataset FOLDER'.
      """)

  @Argument(
    help: ArgumentHelp(
      "a folder, a picture, a video, a .npy or .npz file, minari:NAME or lerobot:NAME", valueName: "source"))
  var path: String

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp("width and height of a frame in pixels (default: 64; \(FrameSize.domain))", valueName: "size"))
  var size: String?

  @Option(
    help: ArgumentHelp(
      "colours of the frames: rgb or gray (default: rgb; gray for arrays without colours)", valueName: "color"),
    completion: .list(FrameColor.allCases.map(\.text)))
  var color: String?

  @OptionGroup var pictures: PictureOptions

  @Option(help: ArgumentHelp(".npz: the array of the actions (default: actions or action)", valueName: "name"))
  var actionsKey: String?

  @Option(help: ArgumentHelp(".npz: the array of the rewards (default: rewards or reward)", valueName: "name"))
  var rewardsKey: String?

  @Option(
    help: ArgumentHelp(
      ".npz: whether action i leads from frame i or to frame i (default: to for the episodes of DreamerV2, V-D4RL and "
        + "DrQ-v2, else from)", valueName: "lead"), completion: .list(ActionLead.allCases.map(\.text)))
  var actionsLead: String?

  @Option(
    help: ArgumentHelp(
      "a CSV file with the true state at each picture, for the state probe: a line of names, then a line of numbers for "
        + "each picture", valueName: "file"), completion: .file())
  var states: String?

  @OptionGroup var output: OutputOptions

  func run() throws {
    Interruption.listen()
    var reading = try pictures.reading()
    (reading.keys.actions, reading.keys.rewards) = (actionsKey, rewardsKey)
    reading.keys.lead = try actionsLead.map { try choice($0, of: "--actions-lead") }
    var frames = try FrameImport(path, reading)
    if let size {
      guard let given = FrameSize(text: size) else {
        throw InputError("--size takes \(FrameSize.domain), not '\(size)'")
      }
      frames.size = given
    }
    if let fit = try pictures.chosenFit() { frames.fit = fit }
    if let color { frames.format = (try choice(color, of: "--color") as FrameColor).format }
    frames.states = try states.map { try StateColumns(path: $0) }

    let folder = output.out ?? "datasets/\(fileName(of: frames.name))"
    let (manifest, warning) = try write(frames, to: folder)
    if let warning { printProgress("WARNING: \(warning)") }
    try printLine(
      "\(counted(manifest.count, "frame")) of \(counted(manifest.episodeCount, "episode")): \(folder)")
    try printLine(frames.summary(manifest.imported?.sizes ?? []))
    try printLine("to train on it: pixelrl pretrain-ae --dataset \(shellQuoted(folder))")
    if output.json {
      let summary: JSON = [
        "dataset": .string(folder), "environment": .string(manifest.environment), "frames": .integer(manifest.count),
        "episodes": .integer(manifest.episodeCount), "width": .integer(frames.size.width),
        "height": .integer(frames.size.height), "fit": .string(frames.fit.text),
      ]
      try printLine(summary.description)
    }
  }

  private func write(
    _ frames: FrameImport, to folder: String
  ) throws -> (manifest: FrameDatasetManifest, warning: String?) {
    guard let count = frames.source.count else { return try frames.write(to: folder) }
    var progress = Progress("import", total: max(count, 1))
    let result = try frames.write(to: folder) { progress.update($0) }
    progress.finish()
    return result
  }
}

extension FrameImport {
  /// The last part of the path, without its ending: a name for the dataset.
  var name: String {
    let whole = imported.environment.dropFirst(ImportedPictures.prefix.count)
    let stem = isFolder(path) ? whole : whole[..<(whole.lastIndex(of: ".") ?? whole.endIndex)]
    return stem.isEmpty || stem == "." || stem == ".." ? "pictures" : String(stem)
  }

  /// What was done with the pictures: `640x480 pictures, cropped in the middle, as 64x64 rgb frames`.
  func summary(_ sizes: [String]) -> String {
    let size = "\(self.size.width)x\(self.size.height)"
    if sizes == [size] { return "\(size) pictures, as \(format) frames" }
    let pictures = sizes.count < 2 ? sizes.first ?? "" : "\(sizes[0]) to \(sizes[sizes.count - 1])"
    let keepProportions = sizes.allSatisfy { text in
      let sides = text.split(separator: "x").compactMap { Int($0) }
      return sides.count == 2 && sides[0] * self.size.height == sides[1] * self.size.width
    }
    let change =
      switch fit {
      case _ where keepProportions: "resized"
      case .crop: "cropped to the part in their middle"
      case .letterbox: "letterboxed with black bars"
      case .stretch: "stretched"
      }
    return "\(pictures) pictures, \(change), as \(size) \(format) frames"
  }
}
