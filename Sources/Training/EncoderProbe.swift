import Autoencoders
import Core
import Environments
import Formats
import Representations
import Runs

/// How well the true state can be predicted from an encoder's latents, beside the best that an encoder of this kind
/// can do on the same frames.
public struct EncoderProbe: Sendable {
  /// The frames, such as `random play` or the path of a dataset.
  public let frames: String
  /// The numbers of frames for the regression and for the evaluation.
  public let (training, heldOut): (Int, Int)
  public let names: [String]
  /// R² of each component from the encoder's latents.
  public let r2: [Double]
  /// R² from the latents of an encoder that was trained on the true state of the same frames; nil if it was not asked
  /// for.
  public let ceiling: [Double]?

  /// R² as a fraction of the ceiling; nil for a component that the ceiling does not show either.
  public var fractions: [Double?]? {
    ceiling.map { ceiling in
      zip(r2, ceiling).map { $1 > Self.leastCeiling ? max(0, $0) / $1 : nil }
    }
  }

  /// Below this R², a component cannot be seen in the frames.
  static let leastCeiling = 0.1

  /// Probes the encoder of a run.
  ///
  /// - Parameters:
  ///   - folder: the folder of a pretraining or of a training.
  ///   - dataset: frames with their true states, the last quarter of which is held out; nil for new random play.
  ///   - supervised: how the ceiling's encoder is trained; nil for no ceiling.
  ///   - seed: the seed of the random play and of all networks; nil for that of the pretraining.
  /// - Throws: `InputError` that says what to use instead, `WorldError` with the path of a damaged file.
  public init(
    of folder: String, on dataset: FrameDataset?, supervised: SupervisedTraining?, seed: Seed?,
    progress: (Int) -> Void = { _ in }
  ) throws {
    _ = try RunDirectory(existing: folder)
    let record = try AutoencoderRecord(folder: folder)
    let pretraining = try RunDirectory(existing: EncoderFiles(of: folder).origin)
    let seed = try seed ?? Seed(pretraining.facts().seed)
    let frames = try record.probeFrames(of: pretraining, on: dataset, seed: seed)
    guard !frames.training.observationNames.isEmpty else {
      throw InputError("\(frames.name): there is no true state to predict; use frames whose state is known")
    }
    var settings = PretrainingSettings()
    try pretraining.settings().apply(to: &settings)

    func probe<Model: Autoencoder>(_ kind: Model.Type) throws -> (StateProbe, StateProbe?) {
      let encoder = try LatentEncoder<Model>(folder: folder, record: record)
      let own = StateProbe(of: encoder, on: frames, steps: settings.probeSteps, seed: seed)
      let supervised = try supervised?.encoder(
        like: encoder, on: frames.training, frames: frames.layout(of: encoder).frames,
        angles: frames.angles, seed: seed.child("supervised"), progress: progress)
      return (own, supervised.map { StateProbe(of: $0, on: frames, steps: settings.probeSteps, seed: seed) })
    }
    let (own, best) = try probe(try Autoencoders.named(record.kind))
    (self.frames, training, heldOut) = (frames.name, frames.training.count, frames.heldOut.count)
    (names, r2, ceiling) = (own.names, own.r2, best?.r2)
  }

  public var json: JSON {
    func numbers(_ values: [Double?]) -> JSON {
      .object(zip(names, values).map { .init($0, $1.map { $0.isNaN ? .null : .number($0) } ?? .null) })
    }
    return [
      "frames": .string(frames), "training": .integer(training), "held_out": .integer(heldOut), "r2": numbers(r2),
      "ceiling": ceiling.map { numbers($0) } ?? .null, "fraction": fractions.map(numbers) ?? .null,
    ]
  }
}

extension AutoencoderRecord {
  /// The frames of the state probe for the encoder of a pretraining: of a dataset, or of new random play.
  fileprivate func probeFrames(
    of pretraining: RunDirectory, on dataset: FrameDataset?, seed: Seed
  ) throws -> ProbeFrames {
    var (settings, collection) = (PretrainingSettings(), CollectionSettings())
    let recorded = try pretraining.settings()
    try recorded.apply(to: &settings)
    try recorded.apply(to: &collection)
    if let imported = try importedFrames(of: pretraining) {
      guard let dataset else { return try imported.probeFrames(settings, seed: seed) }
      return try ImportedFrames(dataset).probeFrames(settings, seed: seed)
    }
    func frames(_ environment: some Environment) throws -> ProbeFrames {
      var episode = environment.spec.episodeDefaults
      try recorded.apply(to: &episode)
      guard let dataset else {
        return try PlayedFrames(of: environment, episode, collection).probeFrames(settings, seed: seed)
      }
      try dataset.check(environment.spec, episode)
      return try ProbeFrames(of: dataset, environment.spec)
    }
    return try frames(try Environments.named(environment))
  }
}
