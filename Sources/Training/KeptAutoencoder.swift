import Core
import Environments
import Formats
import Representations
import Runs

// A training keeps a copy of its agent's autoencoder: `autoencoder/` in its run directory has everything that is read
// from a pretraining except the frames, whose latents are in the first checkpoint. So the run can be moved, and does
// not need the pretraining.

/// The paths of an encoder's files in the folder of a pretraining, or of a training, which may have changed the
/// encoder.
struct EncoderFiles {
  let record: String
  let weights: String
  /// The folder of the pretraining, or a training's copy of it.
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

  /// Copies the autoencoder of a folder into a training's run directory. The weights are copied byte for byte.
  ///
  /// - Parameters:
  ///   - folder: The folder that this record was read from.
  ///   - run: The training.
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

  /// The folder of the autoencoder of a training's agent: the run's own copy, or the folder that the run names if it
  /// was made by an earlier version.
  ///
  /// - Throws: `WorldError` with the path if it is damaged, missing or has changed.
  public static func folder(of run: RunDirectory) throws -> String {
    var encoder = EncoderSettings()
    try run.settings().apply(to: &encoder)
    let input = try run.facts().autoencoderInput
    let kept = run.file(keptFolder)
    guard !exists("\(kept)/autoencoder.json") else {
      guard try input.map({ try fits(kept, $0) }) ?? true else {
        throw WorldError(path: "\(kept)/\(weights)", "is damaged: the run was trained with other weights")
      }
      return kept
    }
    let candidates = ((input?.places ?? []) + [encoder.autoencoder]).filter { exists(EncoderFiles(of: $0).record) }
    guard let candidate = candidates.first else {
      throw WorldError(
        path: run.path, "its autoencoder \(encoder.autoencoder) is missing, and the run has no copy: restore it")
    }
    guard let input else { return candidate }
    guard let same = try candidates.first(where: { try fits($0, input) }) else {
      throw WorldError(path: candidate, "has changed since \(run.path) was trained with it: restore it")
    }
    return same
  }

  /// Whether a folder has the autoencoder that a run was made with.
  public static func fits(_ folder: String, _ input: RunDirectory.Input) throws -> Bool {
    let files = EncoderFiles(of: folder)
    guard exists(files.record), exists(files.weights) else { return false }
    return try fingerprint(ofWeightsIn: folder) == input.fingerprint
  }

  /// Whether a training has its own weights, because it started from random ones or trained the autoencoder further.
  public static func hasOwnWeights(_ run: RunDirectory) -> Bool { exists(run.file(weights)) }

  /// Reads the transitions that the autoencoder of a folder was trained on. If the folder was moved together with
  /// `run`, it is found there.
  ///
  /// - Throws: The errors of `recording(of:_:_:)`.
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

  /// The entry `autoencoder` of `run.json` for an encoder that the training itself made.
  var newFacts: JSON {
    ["kind": .string(kind), "settings": .object(kindSettings.map { .init($0.key, .string($0.text)) })]
  }

  /// The entry `autoencoder` of a training's `run.json`, by which reports compare runs.
  ///
  /// - Parameter input: The folder that this record was read from.
  public func facts(_ input: RunDirectory.Input) throws -> JSON {
    var settings = kindSettings
    let path = "\(EncoderFiles(of: input.path).origin)/\(RunDirectory.settings)"
    if exists(path) {
      // The training's own settings have the rendering.
      let groups = try SettingsFile(path: path).groups.filter { $0.title != "environment" }
      settings = groups.flatMap(\.entries).map { Setting(key: $0.key, text: $0.text) }
    }
    // These differ between seeds of one pretraining.
    settings.removeAll { ["seed", "dataset"].contains($0.key) }
    return [
      "fingerprint": .string(String(input.fingerprint, radix: 16)), "kind": .string(kind),
      "settings": .object(settings.map { .init($0.key, .string($0.text)) }),
    ]
  }
}

extension RunDirectory.Facts {
  /// The autoencoder among a training's inputs.
  public var autoencoderInput: RunDirectory.Input? { inputs.first { $0.name == "autoencoder" } }
}
