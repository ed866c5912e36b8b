import Autoencoders
import Core
import Environments
import Formats
import Representations
import Runs

/// The kind of a new encoder, with its settings: for places that start from random weights.
public struct NewEncoder {
  public let kind: any Autoencoder.Type
  public let settings: any SettingsGroup

  public init<Model: Autoencoder>(_ kind: Model.Type, _ settings: Model.Settings) {
    (self.kind, self.settings) = (kind, settings)
  }
}

/// What an encoder begins as in a training, and which data the agent learns from first.
struct EncoderStart<Model: Autoencoder> {
  let encoder: LatentEncoder<Model>
  let record: AutoencoderRecord
  let isPretrained: Bool
  /// How it was trained, or would be.
  let pretraining: PretrainingSettings
  /// Recorded transitions that the agent learns from first.
  let first: () throws -> Recording
  /// The folder that it was read from, and its fingerprint; nil for a new one.
  let input: RunDirectory.Input?
  /// Writes what a new run keeps of it.
  let keep: (RunDirectory) throws -> Void
}

extension EncoderStart {
  /// The encoder of a folder: of a pretraining, of a training whose agent moved it, or of the run that goes on.
  ///
  /// - Parameters:
  ///   - run: that goes on or is done again, which may know where the dataset is by now.
  ///   - isNew: whether the run that goes on made it from random weights.
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

  /// An encoder with random weights. It is standardised on the first data where it then stays as it is; one that moves is
  /// given its latents as they are.
  static func new(
    _ kind: Model.Type, _ settings: Model.Settings, place: Place, _ environment: some Environment,
    _ episode: EpisodeSettings, seed: Seed
  ) throws -> EncoderStart {
    let pretraining: PretrainingSettings = newPretraining(in: environment)
    let first = try firstData(environment, episode, seed: seed)
    var random = seed.stream("random encoder")
    var encoder = try LatentEncoder<Model>(
      untrainedFor: first, frameStack: episode.frameStack, modelSettings: settings, pretraining, using: &random)
    if place.when == .never {
      encoder.standardize(
        on: encoder.encodeAll(first), alongAxesWithin: pretraining.form == .smooth ? first.episodes : nil)
    }
    let record = AutoencoderRecord(
      encoder, settings: settings, environment: environment.spec.id, episode: episode, envSteps: first.environmentSteps,
      probe: nil, isBackgroundTakenAway: pretraining.background, reconstructions: nil)
    return EncoderStart(
      encoder: encoder, record: record, isPretrained: false, pretraining: pretraining, first: { first }, input: nil,
      keep: { [encoder] run in
        let folder = run.file(AutoencoderRecord.keptFolder)
        try makeFolder(folder)
        try encoder.write(to: folder, record: record)
      })
  }

  /// How an encoder of the task would be pretrained.
  private static func newPretraining(in environment: some Environment) -> PretrainingSettings {
    TaskDefaults.group(of: environment.spec.id)
  }
}

/// Random play for the agent to learn from first: the same data as a pretraining with this seed collects.
func firstData(_ environment: some Environment, _ episode: EpisodeSettings, seed: Seed) throws -> Recording {
  try collect(
    environment, episode, TaskDefaults.group(of: environment.spec.id), seed: seed.child("collection"))
}
