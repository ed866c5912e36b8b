import Autoencoders
import Core
import Environments
import Formats
import Networks
import Pixels
import Representations
import Runs
import Tensors

/// The description of a pretrained autoencoder: its kind and settings, the frames it was made for, and its quality.
///
/// Its folder has `autoencoder.safetensors` (weights, standardisation and background), `autoencoder.json` (this record)
/// and, unless it was trained on an existing dataset, `dataset/` with the training frames.
public struct AutoencoderRecord: Sendable {
  /// `keypoint`
  public var kind: String
  public var kindSettings: [Setting]
  public var environment: String
  /// The settings that the frames were made with: size, colour and visual distractors.
  public var view: [Setting]
  public var frame: FrameShape
  /// Whether the background was subtracted from its training frames; false if an older version did not record it.
  public var isBackgroundSubtracted: Bool
  public var target: ReconstructionTarget
  /// The number of simulator steps of the training data.
  public var envSteps: Int
  public var probe: [Setting]
  public var psnr: Double
  public var movingPSNR: Double
  /// The dataset that it was trained on; nil if it is in the autoencoder's folder.
  public var source: Source?

  /// A dataset in another folder, with its fingerprint.
  public struct Source: Sendable, Hashable {
    public let path: String
    public let fingerprint: UInt64
  }

  public typealias Setting = FrameDatasetManifest.Setting

  /// The name of the file with weights, standardisation and background.
  static let weights = "autoencoder.safetensors"

  /// The settings of an episode that change the rendering of frames.
  public static func view(of settings: EpisodeSettings) -> [Setting] {
    let visual = EpisodeSettings.keys(changing: .view)
    return settings.record.filter { visual.contains($0.key) }.map { Setting(key: $0.key, text: $0.text) }
  }

  /// Checks that the autoencoder was made for an environment and its view settings.
  ///
  /// - Throws: `InputError` if it was not, `WorldError` if the record lacks a setting.
  public func check(environment: String, _ settings: EpisodeSettings, path: String) throws {
    guard environment == self.environment else {
      throw InputError(
        "\(path) is an autoencoder for \(self.environment): for \(environment), run 'pixelrl pretrain-ae --env "
          + "\(environment)'")
    }
    for asked in AutoencoderRecord.view(of: settings) {
      let old = EpisodeSettings.unrecorded[asked.key].map { Setting(key: asked.key, text: $0) }
      guard let mine = view.first(where: { $0.key == asked.key }) ?? old else {
        throw WorldError(path: path, "does not record the --\(asked.key) of its frames: pretrain again")
      }
      guard mine != asked else { continue }
      throw InputError(
        "\(path) was trained with \(mine.flag), but this run uses \(asked.flag): use \(mine.flag), or pretrain with "
          + asked.flag)
    }
  }

  /// Whether it was trained on imported pictures, so that there is no environment.
  public var isImported: Bool { environment.hasPrefix(ImportedPictures.prefix) }

  /// How pictures of other proportions became its frames; nil for an environment that draws frames of any size.
  public var fit: PictureFit? {
    guard isImported || environment.hasPrefix(Environments.gymPrefix) else { return nil }
    return (view.first { $0.key == "fit" }?.text ?? EpisodeSettings.unrecorded["fit"]).flatMap { PictureFit(text: $0) }
  }

  /// The number of stacked frames that the encoder takes.
  var frameStack: Int { view.first { $0.key == "frame-stack" }.flatMap { Int($0.text) } ?? 1 }

  var json: JSON {
    func object(_ settings: [Setting]) -> JSON { .object(settings.map { .init($0.key, .string($0.text)) }) }
    return [
      "format": 1, "kind": .string(kind), "settings": object(kindSettings), "environment": .string(environment),
      "view": object(view), "background_taken_away": .bool(isBackgroundSubtracted),
      "target": ["blur": .integer(target.blur), "gain": .number(target.gain)],
      "frame": [.integer(frame.height), .integer(frame.width), .integer(frame.channels)],
      "env_steps": .integer(envSteps),
      "probe": .object(probe.map { .init($0.key, Double($0.text).map { .number($0) } ?? .null) }),
      "psnr": .number(psnr),
      "psnr_moving": .number(movingPSNR), "dataset": source?.json ?? .null,
    ]
  }

  init(_ json: JSON, path: String) throws {
    func settings(_ key: String) -> [Setting]? {
      guard let members = json[key]?.members else { return nil }
      let settings = members.compactMap { member in member.value.text.map { Setting(key: member.key, text: $0) } }
      return settings.count == members.count ? settings : nil
    }
    guard json["format"]?.int == 1 else {
      throw WorldError(path: path, "has a format that this version cannot read: pretrain again")
    }
    guard let kind = json["kind"]?.text, let kindSettings = settings("settings"),
      let environment = json["environment"]?.text, let view = settings("view"), let probe = json["probe"]?.members,
      let frame = json["frame"]?.array?.compactMap(\.int), frame.count == 3, frame.allSatisfy({ $0 > 0 && $0 <= 4096 }),
      let blur = json["target"]?["blur"]?.int, blur >= 0, let gain = json["target"]?["gain"]?.double, gain > 0,
      let envSteps = json["env_steps"]?.int
    else { throw WorldError(path: path, "is damaged: a part of the record is missing") }
    self.kind = kind
    self.kindSettings = kindSettings
    self.environment = environment
    self.view = view
    self.frame = FrameShape(height: frame[0], width: frame[1], channels: frame[2])
    isBackgroundSubtracted = json["background_taken_away"]?.bool ?? false
    target = ReconstructionTarget(blur: blur, gain: gain)
    self.envSteps = envSteps
    // An older version wrote strings.
    self.probe = probe.map { Setting(key: $0.key, text: $0.value.text ?? $0.value.double?.text ?? "nan") }
    psnr = json["psnr"]?.double ?? .nan
    movingPSNR = json["psnr_moving"]?.double ?? .nan
    source = try json["dataset"].flatMap { $0 == .null ? nil : $0 }.map { try Source($0, path: path) }
  }

  init<Model: Autoencoder>(
    _ encoder: LatentEncoder<Model>, settings: Model.Settings, environment: String, episode: EpisodeSettings,
    envSteps: Int, probe: StateProbe?, isBackgroundSubtracted: Bool, reconstructions: Reconstructions?,
    dataset source: Source? = nil
  ) {
    kind = Model.id
    kindSettings = settings.record.map { Setting(key: $0.key, text: $0.text) }
    self.environment = environment
    view = AutoencoderRecord.view(of: episode)
    frame = encoder.preparation.shape
    self.isBackgroundSubtracted = isBackgroundSubtracted
    target = encoder.target
    self.envSteps = envSteps
    self.probe = probe?.record ?? []
    psnr = reconstructions?.psnr ?? .nan
    movingPSNR = reconstructions?.movingPSNR ?? .nan
    self.source = source
  }

  /// Reads the record of a folder.
  public init(folder: String) throws {
    let path = EncoderFiles(of: folder).record
    guard exists(path) else {
      guard exists(folder) else {
        throw InputError("\(folder) does not exist: use a folder made by 'pixelrl pretrain-ae'")
      }
      let command = try? RunDirectory(existing: folder).facts().command
      guard command == "pretrain-ae" else {
        throw InputError("\(folder) has no autoencoder: use a folder made by 'pixelrl pretrain-ae'")
      }
      throw InputError(
        "\(folder) has no autoencoder yet, which is written at the end: continue it with 'pixelrl pretrain-ae --resume "
          + "\(folder)'")
    }
    do { try self.init(JSON(parsing: readBytes(from: path, limit: 1 << 24)), path: path) } catch let error as InputError
    {
      throw WorldError(path: path, error.description)
    }
  }
}

// MARK: - Training frames

extension AutoencoderRecord {
  /// Reads the transitions that the autoencoder of a folder was trained on: an agent's first data.
  ///
  /// - Throws: `WorldError` if they are missing or have changed, `InputError` if they were made with other settings.
  public func recording(
    of folder: String, _ spec: EnvironmentSpec, _ settings: EpisodeSettings
  ) throws -> Recording {
    let path = source?.path ?? "\(EncoderFiles(of: folder).origin)/dataset"
    guard exists(path) else {
      throw WorldError(
        path: path, "the dataset that \(folder) was trained on is missing: restore it, or pretrain again")
    }
    let dataset = try FrameDataset(path: path)
    if let source, source.fingerprint != dataset.fingerprint {
      throw WorldError(path: path, "has changed since \(folder) was trained on it: pretrain again")
    }
    try dataset.check(spec, settings)
    return try Recording(dataset, of: spec)
  }
}

extension AutoencoderRecord {
  /// The autoencoder of a folder as an input of a run, with the fingerprint of its weights.
  public static func input(folder: String) throws -> RunDirectory.Input {
    RunDirectory.Input(
      name: "autoencoder", path: folder, absolutePath: try absolutePath(folder),
      fingerprint: try fingerprint(ofWeightsIn: folder))
  }

  static func fingerprint(ofWeightsIn folder: String) throws -> UInt64 {
    xxHash64(try readBytes(from: EncoderFiles(of: folder).weights))
  }
}

extension AutoencoderRecord.Source {
  /// - Throws: `WorldError` if the path cannot be resolved.
  init(_ dataset: FrameDataset) throws {
    path = try absolutePath(dataset.path)
    fingerprint = dataset.fingerprint
  }

  var json: JSON { ["path": .string(path), "xxh64": .string(String(fingerprint, radix: 16))] }

  init(_ json: JSON, path: String) throws {
    guard let source = json["path"]?.text, let number = json["xxh64"]?.text.flatMap({ UInt64($0, radix: 16) }) else {
      throw WorldError(path: path, "is damaged: the dataset's path or fingerprint is missing")
    }
    (self.path, fingerprint) = (source, number)
  }
}

// MARK: - On disk

extension LatentEncoder {
  /// Writes weights, standardisation and background, and the record.
  func write(to folder: String, record: AutoencoderRecord) throws {
    try write(to: folder)
    try writeAtomically(Array(record.json.indented.utf8), to: "\(folder)/autoencoder.json")
  }

  /// Writes weights, standardisation and background.
  public func write(to folder: String) throws {
    let background = Tensor(preparation.background.map(Float.init), [preparation.background.count])
    var extras = [("standardization.mean", mean), ("standardization.deviation", deviation), ("background", background)]
    if let axes { extras += zip(LatentAxes.names, [axes.reading, axes.directions]) }
    try Safetensors(
      model.parameters + extras.map { (name: $0.0, value: $0.1) },
      metadata: [("kind", Model.id)]
    ).write(to: "\(folder)/\(AutoencoderRecord.weights)")
  }

  /// Reads the weights that a pretraining wrote.
  ///
  /// - Throws: `WorldError` with the path if the file is damaged or does not fit its record.
  public init(folder: String, record: AutoencoderRecord) throws {
    let path = EncoderFiles(of: folder).weights
    var settings = Model.Settings()
    var random = Seed(0).stream("replaced")
    do {
      for setting in record.kindSettings { try settings.set(setting.key, to: setting.text) }
      var model = try Model(
        frame: record.frame.stacked(record.frameStack), isBackgroundSubtracted: record.isBackgroundSubtracted,
        settings: settings, using: &random)
      let file = try Safetensors(weightsAt: path)
      let extras = ["standardization.mean", "standardization.deviation", "background"]
      let mean = try file.tensor(extras[0], [model.latentSize])
      let deviation = try file.tensor(extras[1], mean.shape)
      let background = try file.tensor(extras[2], [record.frame.count])
      guard deviation.array.allSatisfy({ $0 > 0 }) else {
        throw InputError("the tensor \(extras[1]) has values that are not positive")
      }
      guard background.array.allSatisfy({ $0 >= 0 && $0 <= 255 }) else {
        throw InputError("the tensor background has values outside 0 to 255")
      }
      let axes = try LatentAxes(in: file, latentSize: model.latentSize)
      try model.load(file.tensors.filter { !extras.contains($0.name) && !LatentAxes.names.contains($0.name) })
      self.init(
        model: model,
        preparation: FramePreparation(shape: record.frame, background: background.array.map { UInt8($0) }),
        frameStack: record.frameStack, target: record.target, mean: mean, deviation: deviation, axes: axes)
    } catch let error as InputError {
      throw WorldError(path: path, error.description)
    }
  }
}

extension LatentAxes {
  fileprivate static let names = ["axes.reading", "axes.directions"]

  /// Reads the axes of a weights file; nil if it has none.
  fileprivate init?(in file: Safetensors, latentSize: Int) throws {
    let found = Self.names.map { file[$0] }
    guard found.contains(where: { $0 != nil }) else { return nil }
    guard let reading = found[0], let directions = found[1], reading.shape == directions.shape,
      reading.shape.rank == 2, reading.shape[0] > 0, reading.shape[1] == latentSize
    else { throw InputError("the axes of the latents are missing or do not fit") }
    self.init(reading: reading, directions: directions)
  }
}

/// Returns the folder of the newest autoencoder below `root` that fits an environment and its view settings.
///
/// - Throws: `InputError` if there is none.
public func newestAutoencoder(
  for environment: String, _ settings: EpisodeSettings, root: String = "runs"
) throws -> String {
  let found = try RunDirectory.newest(in: root) { run, facts in
    guard facts.command == "pretrain-ae", facts.environment == environment, run.isFinished else { return false }
    guard let record = try? AutoencoderRecord(folder: run.path) else { return false }
    return (try? record.check(environment: environment, settings, path: run.path)) != nil
  }
  if let found { return found.path }
  // If there is one for other frames, the error names the first setting that differs.
  let other = try RunDirectory.newest(in: root) { run, facts in
    facts.command == "pretrain-ae" && facts.environment == environment && run.isFinished
  }
  if let other, let record = try? AutoencoderRecord(folder: other.path) {
    do { try record.check(environment: environment, settings, path: other.path) } catch let error as InputError {
      throw InputError("no autoencoder in \(root)/ fits: \(error)")
    } catch {}  // a damaged record does not count
  }
  let plain = AutoencoderRecord.view(of: EpisodeSettings())
  let flags = AutoencoderRecord.view(of: settings).filter { !plain.contains($0) }.map { " \($0.flag)" }
  throw InputError(
    "there is no autoencoder for \(environment) in \(root)/: run 'pixelrl pretrain-ae --env \(environment)"
      + "\(flags.joined())' first")
}
