import Core
import Environments
import Formats
import Pixels
import Representations
import Runs

/// The inspection of a run: images and values of its autoencoder's reconstructions and latents, and of its agent's
/// observations and values.
public struct Inspection: Sendable {
  public struct Options: Sendable {
    /// The number of frames of each kind: chosen, random, worst.
    public var frames = 5
    /// The indices of the chosen frames; nil for evenly spaced ones.
    public var steps: [Int]?
    /// The number of episodes that the agent plays.
    public var episodes = 10
    /// The seed of random frames and of the start states of the agent's episodes; nil for the run's own seed.
    public var seed: Seed?

    public init() {}
  }

  public struct Picture: Sendable {
    /// `reconstructions.png`
    public let file: String
    public let title: String
    /// A description in one or two sentences.
    public let caption: String
    fileprivate let content: Content

    fileprivate enum Content: Sendable {
      case still(PixelBuffer)
      case film(Film)
    }

    /// The file's bytes, with the title, the caption and more in its text chunks.
    fileprivate func encoded(text: [String: String]) throws -> [UInt8] {
      let text = text.merging(["Title": title, "Description": caption]) { $1 }
      return switch content {
      case .still(let picture): try PNG.encode(picture, text: text)
      case .film(let film): try film.encoded(text: text)
      }
    }
  }

  public let run: RunDirectory
  public let facts: RunDirectory.Facts
  public private(set) var pictures: [Picture] = []
  /// Which parts this run lacks, and why.
  public internal(set) var notes: [String] = []
  let options: Options
  let seed: Seed
  /// The number of simulator steps that the agent was trained for; nil if there is no agent.
  private(set) var step: Int?
  private var numbers: [JSON.Member] = []

  /// Inspects a run of `pretrain-ae` or `train`.
  ///
  /// - Throws: `InputError` if the run has nothing to inspect or a chosen frame does not exist, `WorldError` with the
  ///   path of a missing or damaged file.
  public init(of path: String, _ options: Options = Options()) throws {
    run = try RunDirectory(existing: path)
    facts = try run.facts()
    self.options = options
    seed = options.seed ?? Seed(facts.seed)
    switch facts.command {
    case "train":
      let saved = try SavedAgent(path: path)
      step = saved.step
      try inspect(saved, try saved.player(seed: seed))
    case "pretrain-ae":
      let record = try AutoencoderRecord(folder: path)
      if let frames = try record.importedFrames(of: run) {
        try inspect(record, frames)
      } else {
        try inspect(record, try Environments.named(facts.environment))
      }
    default:
      throw InputError(
        "\(path) is a run of 'pixelrl \(facts.command)': use a run of 'pixelrl pretrain-ae' or 'pixelrl train'")
    }
  }

  private mutating func inspect(_ record: AutoencoderRecord, _ environment: some Environment) throws {
    let drawing = try record.drawing(in: run.path)
    let recording = try addProbe(of: drawing, recorded: record.probe, from: run.path, environment, play: nil)
    try inspect(recording, through: drawing)
    notes.append("the run has no agent: there are no values, and the frames are from random play")
  }

  private mutating func inspect(_ record: AutoencoderRecord, _ frames: ImportedFrames) throws {
    let drawing = try record.drawing(in: run.path)
    let recording = try addProbe(
      of: drawing, recorded: record.probe, on: frames, try pretraining(of: [run]), seed: Seed(facts.seed))
    try inspect(recording, through: drawing)
    notes.append("the run has no agent: there are no values, and the frames are those that were held out")
  }

  /// Returns the settings with which runs trained an autoencoder one after the other, as they are recorded.
  private func pretraining(of runs: [RunDirectory]) throws -> PretrainingSettings {
    var pretraining = PretrainingSettings()
    for run in runs { try run.settings().apply(to: &pretraining) }
    return pretraining
  }

  /// Adds the pictures of a pretraining's held-out frames.
  private mutating func inspect(_ recording: Recording, through drawing: any LatentDrawing) throws {
    let play = InspectedPlay(recording: recording, latents: drawing.latents(of: recording))
    try addReconstructions(by: drawing, of: play, try pretraining(of: [run]))
    addKeypoints(of: drawing, play)
    addTraversals(of: drawing, play)
    addEpisode(play, through: drawing)
    addFilm(of: play, through: drawing)
    addProjections(of: play)
  }

  private mutating func inspect(_ saved: SavedAgent, _ player: some Player) throws {
    let play = try player.inspectedPlay(episodes: options.episodes, seed: seed.child("evaluation"))
    let drawing = player.representation.trainedDecoder
    if let drawing {
      // A training that taught the autoencoder further may have other settings for it.
      let teachers = [try? RunDirectory(existing: saved.autoencoder), AutoencoderRecord.hasOwnWeights(run) ? run : nil]
      try addReconstructions(by: drawing, of: play, try pretraining(of: teachers.compactMap { $0 }))
      addKeypoints(of: drawing, play)
      addTraversals(of: drawing, play)
    } else {
      _ = try chosenFrames(of: play.recording)
    }
    if let probed = player.representation.drawing {
      let recorded = try AutoencoderRecord(folder: saved.autoencoder).probe
      _ = try addProbe(of: probed, recorded: recorded, from: saved.autoencoder, player.environment, play: saved.episode)
    }
    if saved.encoder.observe == .state {
      notes.append("the agent observes the true state: there are no reconstructions, no traversals and no probe")
    } else if drawing == nil {
      notes.append("no decoder was trained for these latents: there are no reconstructions and no traversals")
    }
    addEpisode(play, through: drawing)
    addFilm(of: play, through: drawing)
    addProjections(of: play)
    addValues(of: play)
  }

  /// Adds a picture, and its values in `inspection.json` under the file's name.
  mutating func add(_ name: String, _ title: String, _ caption: String, _ picture: PixelBuffer, _ values: JSON) {
    pictures.append(Picture(file: "\(name).png", title: title, caption: caption, content: .still(picture)))
    numbers.append(.init(name, values))
  }

  /// Adds a video of the first episode, which is rendered when it is written.
  private mutating func addFilm(of play: InspectedPlay, through drawing: (any LatentDrawing)?) {
    var readings = play.recording.filmReadings
    for (name, values) in [("value", play.values), ("return", play.returns)] where !values.isEmpty {
      readings.append(Film.Reading(name: name, values: values, digits: 2))
    }
    let film = Film(of: play.recording, through: drawing, readings)
    let columns = drawing.map { $0.comparisonCaptions.joined(separator: ", ") } ?? "frames"
    let numbers = readings.map(\.name).joined(separator: ", ")
    pictures.append(
      Picture(
        file: "film.png", title: "Video of the first episode",
        caption: "\(columns.prefix(1).uppercased() + columns.dropFirst()) side by side, with \(numbers) of each frame: "
          + "\(film.extent) (an animated PNG).", content: .film(film)))
    self.numbers.append(.init("film", ["frames": .array(film.frames.map(JSON.integer))]))
  }

  /// Returns the frames given with `--steps`, or evenly spaced ones of the first episode.
  func chosenFrames(of recording: Recording) throws -> [Int] {
    guard let steps = options.steps else {
      let length = recording.firstEpisodeLength
      let count = min(options.frames, length)
      return (0..<count).map { $0 * (length - 1) / max(count - 1, 1) }
    }
    if let wrong = steps.first(where: { !(0..<recording.count).contains($0) }) {
      throw InputError(
        "--steps \(wrong) is not one of the \(recording.count) frames: use steps from 0 to \(recording.count - 1)")
    }
    return steps
  }

  // MARK: - On disk

  /// All values, and the pictures' titles and captions.
  public var json: JSON {
    .object(
      [
        .init("run", .string(run.path)), .init("command", .string(facts.command)),
        .init("environment", .string(facts.environment)), .init("member", .string(facts.member)),
        .init("step", step.map(JSON.integer) ?? .null), .init("seed", JSON(whole: seed.value)),
        .init(
          "pictures",
          .array(
            pictures.map {
              ["file": .string($0.file), "title": .string($0.title), "caption": .string($0.caption)]
            })),
        .init("notes", .array(notes.map(JSON.string))),
      ] + numbers)
  }

  /// Writes `inspection.json` and the pictures into the run's `inspection/`. Replaces the files of an earlier
  /// inspection and keeps all other files.
  ///
  /// - Returns: The folder.
  /// - Throws: `WorldError` with the path, also if a file that is not from an inspection has the name of a picture.
  public func write() throws -> String {
    var text = ["run": run.name, "environment": facts.environment, "seed": "\(seed.value)"]
    text["step"] = step.map(String.init)
    let record = (name: "inspection.json", bytes: Array((json.description + "\n").utf8))
    let files = try pictures.map { (name: $0.file, bytes: try $0.encoded(text: text)) }
    return try replaceFiles(inFolder: "inspection", of: run.folder(), [record] + files) { earlier in
      (try? JSON(parsing: earlier))?["pictures"]?.array?.compactMap { $0["file"]?.text }
    }
  }
}
