import Autoencoders
import Core
import Environments
import Formats
import Representations
import Runs

/// The kind and settings of a new encoder, for places that start from random weights.
public struct NewEncoder {
  public let kind: any Autoencoder.Type
  public let settings: any SettingsGroup

  public init<Model: Autoencoder>(_ kind: Model.Type, _ settings: Model.Settings) {
    (self.kind, self.settings) = (kind, settings)
  }
}

/// An encoder at the start of a training, and the data that the agent learns from first.
struct EncoderStart<Model: Autoencoder> {
  let encoder: LatentEncoder<Model>
  let record: AutoencoderRecord
  let isPretrained: Bool
  /// The settings that it was pretrained with, or would be.
  let pretraining: PretrainingSettings
  /// Returns the recorded transitions that the agent learns from first.
  let first: () throws -> Recording
  /// The folder that it was read from, and its fingerprint; nil for a new encoder.
  let input: RunDirectory.Input?
  /// Writes the encoder's copy in a new run directory.
  let keep: (RunDirectory) throws -> Void
}

extension EncoderStart {
  /// Reads the encoder of a folder: a pretraining, a training that changed the encoder, or the run to resume.
  ///
  /// - Parameters:
  ///   - run: The run to resume or repeat, which may record where the dataset is now.
  ///   - isNew: Whether the run to resume made the encoder from random weights.
  static func read(
    _ kind: Model.Type, from folder: String, _ record: AutoencoderRecord, for run: RunDirectory?, isNew: Bool,
    _ environment: some Environment, _ episode: EpisodeSettings, seed: Seed
  ) throws -> EncoderStart {
    let files = EncoderFiles(of: folder)
    let settings = "\(files.origin)/\(RunDirectory.settings)"
    return EncoderStart(
      encoder: try LatentEncoder<Model>(folder: folder, record: record), record: record, isPretrained: !isNew,
      pretraining: isNew || !exists(settings)
        ? newPretraining(in: environment) : try PretrainingSettings(ofRunIn: files.origin),
      first: {
        isNew
          ? try firstData(environment, episode, seed: seed)
          : try record.recording(of: folder, for: run, environment.spec, episode)
      },
      input: isNew ? nil : try AutoencoderRecord.input(folder: folder),
      keep: { try record.keep(from: folder, in: $0) })
  }

  /// Returns an encoder with random weights. If its place never trains it, its latents are standardised on the first
  /// data; otherwise they are left unscaled.
  static func new(
    _ kind: Model.Type, _ settings: Model.Settings, place: Place, on first: Recording, _ environment: some Environment,
    _ episode: EpisodeSettings, seed: Seed
  ) throws -> EncoderStart {
    let pretraining: PretrainingSettings = newPretraining(in: environment)
    var random = seed.stream("random encoder")
    var encoder = try LatentEncoder<Model>(
      untrainedFor: first, frameStack: episode.frameStack, modelSettings: settings, pretraining, using: &random)
    if place.when == .never {
      encoder.standardize(
        on: encoder.encodeAll(first), alongAxesWithin: pretraining.form == .smooth ? first.episodes : nil)
    }
    let record = AutoencoderRecord(
      encoder, settings: settings, environment: environment.spec.id, episode: episode, envSteps: first.environmentSteps,
      probe: nil, isBackgroundSubtracted: pretraining.background, reconstructions: nil)
    return EncoderStart(
      encoder: encoder, record: record, isPretrained: false, pretraining: pretraining, first: { first }, input: nil,
      keep: { [encoder] run in
        let folder = run.file(AutoencoderRecord.keptFolder)
        try makeFolder(folder)
        try encoder.write(to: folder, record: record)
      })
  }

  /// The task's default settings for pretraining.
  private static func newPretraining(in environment: some Environment) -> PretrainingSettings {
    TaskDefaults.group(of: environment.spec.id)
  }
}

/// Collects random play for the agent to learn from first: the same data as a pretraining with this seed collects.
func firstData(_ environment: some Environment, _ episode: EpisodeSettings, seed: Seed) throws -> Recording {
  try collect(
    environment, episode, TaskDefaults.group(of: environment.spec.id), seed: seed.child("collection"))
}
