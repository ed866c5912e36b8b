import Core
import Environments
import Formats
import Representations
import Runs

// A training keeps the autoencoder that its agent sees through: `autoencoder/` in its folder has all that is read of a
// pretraining but the frames, which are in the first checkpoint as latents. So the run works from anywhere, and without
// the pretraining.

/// Where the parts of an encoder lie in a folder: of a pretraining, or of a training, whose agent may have moved it.
struct EncoderFiles {
  let record: String
  let weights: String
  /// The folder of the pretraining, or what a training kept of it.
  let origin: String

  init(of folder: String) {
    let kept = "\(folder)/\(AutoencoderRecord.keptFolder)"
    let isTraining = !exists("\(folder)/autoencoder.json") && exists("\(kept)/autoencoder.json")
    origin = isTraining ? kept : folder
    record = "\(origin)/autoencoder.json"
    let moved = "\(folder)/\(AutoencoderRecord.weights)"
    weights = isTraining && !exists(moved) ? "\(kept)/\(AutoencoderRecord.weights)" : moved
  }
}

extension AutoencoderRecord {
  static let keptFolder = "autoencoder"

  /// Copies the autoencoder of a folder into a training's own. The weights are the same to the byte.
  ///
  /// - Parameters:
  ///   - folder: whose record this is.
  ///   - run: the training.
  /// - Throws: `WorldError` with the path.
  public func keep(from folder: String, in run: RunDirectory) throws {
    let kept = run.file(Self.keptFolder)
    try makeFolder(kept)
    let files = EncoderFiles(of: folder)
    try writeAtomically(readBytes(from: files.weights), to: "\(kept)/\(Self.weights)")
    for name in [RunDirectory.settings, "run.json"] where exists("\(files.origin)/\(name)") {
      try writeAtomically(readBytes(from: "\(files.origin)/\(name)"), to: "\(kept)/\(name)")
    }
    var record = self
    let dataset = "\(files.origin)/dataset"
    if source == nil, exists(dataset) {
      record.source = try Source(FrameDataset(path: dataset, checkingFingerprints: false))
    }
    try writeAtomically(Array(record.json.indented.utf8), to: "\(kept)/autoencoder.json")
  }

  /// The folder of the autoencoder that a training's agent sees through: the run's own, or, where an earlier version
  /// made the run, the one that it names.
  ///
  /// - Throws: `WorldError` with the path where it is damaged, gone or another by now.
  public static func folder(of run: RunDirectory) throws -> String {
    var encoder = EncoderSettings()
    try run.settings().apply(to: &encoder)
    let input = try run.facts().autoencoderInput
    let kept = run.file(keptFolder)
    guard !exists("\(kept)/autoencoder.json") else {
      guard try input.map({ try fits(kept, $0) }) ?? true else {
        throw WorldError(path: "\(kept)/\(weights)", "is damaged: it is not what the run was trained with")
      }
      return kept
    }
    let places = ((input?.places ?? []) + [encoder.autoencoder]).filter { exists(EncoderFiles(of: $0).record) }
    guard let place = places.first else {
      throw WorldError(
        path: run.path, "its autoencoder \(encoder.autoencoder) is gone, of which it has no copy: put it back")
    }
    guard let input else { return place }
    guard let same = try places.first(where: { try fits($0, input) }) else {
      throw WorldError(path: place, "has changed since \(run.path) was trained with it: put it back")
    }
    return same
  }

  /// Whether a folder holds the autoencoder that a run was made with.
  public static func fits(_ folder: String, _ input: RunDirectory.Input) throws -> Bool {
    let files = EncoderFiles(of: folder)
    guard exists(files.record), exists(files.weights) else { return false }
    return try fingerprint(ofWeightsIn: folder) == input.fingerprint
  }

  /// Whether a training has weights of its own, as it drew random ones or trained the autoencoder further.
  public static func hasOwnWeights(_ run: RunDirectory) -> Bool { exists(run.file(weights)) }

  /// The transitions that the autoencoder of a folder was trained on, which may have moved together with the run that looks
  /// for them.
  ///
  /// - Throws: as `recording(of:_:_:)`.
  public func recording(
    of folder: String, for run: RunDirectory?, _ spec: EnvironmentSpec, _ settings: EpisodeSettings
  ) throws -> Recording {
    guard let source, !exists(source.path), let input = try run?.facts().autoencoderInput,
      let moved = try input.places.first(where: {
        try exists("\(EncoderFiles(of: $0).origin)/dataset") && Self.fits($0, input)
      })
    else { return try recording(of: folder, spec, settings) }
    return try AutoencoderRecord(folder: moved).recording(of: moved, spec, settings)
  }

  /// The same of an encoder that the training itself made.
  var newFacts: JSON {
    ["kind": .string(kind), "settings": .object(kindSettings.map { .init($0.key, .string($0.text)) })]
  }

  /// What `run.json` of a training has of its autoencoder, for reports to compare by.
  ///
  /// - Parameter input: the folder whose record this is.
  public func facts(_ input: RunDirectory.Input) throws -> JSON {
    var settings = kindSettings
    let path = "\(EncoderFiles(of: input.path).origin)/\(RunDirectory.settings)"
    if exists(path) {
      // How it looked is in the training's own settings.
      let groups = try SettingsFile(path: path).groups.filter { $0.title != "environment" }
      settings = groups.flatMap(\.entries).map { Setting(key: $0.key, text: $0.text) }
    }
    // Those that tell apart seeds of one pretraining.
    settings.removeAll { ["seed", "dataset"].contains($0.key) }
    return [
      "fingerprint": .string(String(input.fingerprint, radix: 16)), "kind": .string(kind),
      "settings": .object(settings.map { .init($0.key, .string($0.text)) }),
    ]
  }
}

extension RunDirectory.Facts {
  /// The autoencoder among what a training was made from.
  public var autoencoderInput: RunDirectory.Input? { inputs.first { $0.name == "autoencoder" } }
}
