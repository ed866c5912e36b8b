import ArgumentParser
import Autoencoders
import Core
import Formats
import Imports
import Pixels
import Runs
import Training

/// `pixelrl encode`
struct Encode: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Write the latents of pictures or of a dataset as a NumPy array.",
    discussion: """
      The array is float32 [N, Z], one standardised latent for each frame, as an agent gets them.
      """)

  @Argument(
    help: ArgumentHelp(
      "a dataset, or what 'pixelrl import' takes: a folder, a picture, a video, or a .npy or .npz file",
      valueName: "frames"))
  var path: String

  @Option(
    help: ArgumentHelp("a run of 'pixelrl pretrain-ae' or 'pixelrl train', whose encoder is used", valueName: "run"),
    completion: .runs)
  var autoencoder: String

  @Option(
    help: ArgumentHelp("the .npy file to write, which must not exist", valueName: "file"), completion: .file())
  var out: String

  @OptionGroup var pictures: PictureOptions

  @Flag(help: "print a summary as JSON in the last line")
  var json = false

  func run() throws {
    Interruption.listen()
    let record = try AutoencoderRecord(folder: autoencoder)
    try encode(record, try Autoencoders.named(record.kind))
  }

  private func encode<Model: Autoencoder>(_ record: AutoencoderRecord, _ kind: Model.Type) throws {
    var frames = try FrameImport(path, try pictures.reading(), takesDatasets: true)
    frames.size = FrameSize(width: record.frame.width, height: record.frame.height)
    frames.format = record.frame.channels == 1 ? .gray : .rgb
    frames.fit = try pictures.chosenFit() ?? record.fit ?? .crop

    let encoder = try LatentEncoder<Model>(folder: autoencoder, record: record)
    var writer = try LatentWriter(path: out, encoder)
    let (sizes, warning) = try frames.read { frame, source in
      try writer.append(frame, beginsEpisode: source.arrival == nil)
    }
    let count = try writer.commit()
    if let warning { printProgress("WARNING: \(warning)") }
    try printLine("\(count) latents of size \(encoder.latentSize): \(out)")
    try printLine(frames.summary(sizes))
    guard json else { return }
    let summary: JSON = [
      "latents": .string(out), "count": .integer(count), "latent_size": .integer(encoder.latentSize),
      "autoencoder": .string(autoencoder), "fit": .string(frames.fit.text),
    ]
    try printLine(summary.description)
  }
}
