import Autoencoders
import Core
import Environments
import Formats
import Pixels
import Replay
import Representations
import Runs
import Tensors

/// A complete pretraining: collects frames or reads them, trains an autoencoder, and writes the encoder, pictures and
/// the state probe into a run directory.
public struct PretrainingRun<Origin: FrameOrigin, Model: Autoencoder> {
  public let origin: Origin
  public var pretraining: PretrainingSettings
  public var model: Model.Settings
  public var seed: Seed

  public init(
    _ origin: Origin, _ kind: Model.Type, pretraining: PretrainingSettings, model: Model.Settings, seed: Seed
  ) {
    self.origin = origin
    self.pretraining = pretraining
    self.model = model
    self.seed = seed
  }

  private var episode: EpisodeSettings { origin.episode }

  public var groups: [any SettingsGroup] { origin.groups + [model, pretraining] }

  /// Checks the settings, before any folder is made.
  ///
  /// - Throws: `InputError` that says what to change.
  public func check() throws {
    try Model.requireDecoder()
    try pretraining.check()
    try origin.check(pretraining)
    let shape = FrameShape(
      height: episode.size.height, width: episode.size.width, channels: episode.color.format.channels)
    var random = seed.stream("unused")
    _ = try Model(frame: shape.stacked(episode.frameStack), settings: model, using: &random)
  }

  /// Pretrains in a run directory.
  ///
  /// - Returns: The contents of `summary.json`.
  public func run(in directory: RunDirectory, say: (String) throws -> Void) throws -> JSON {
    let clock = ContinuousClock()
    let start = clock.now
    var checkpoints = try directory.checkpoints(
      kept: pretraining.keepCheckpoints, settings: fingerprint(of: groups, origin.id, Model.id, seed))
    for warning in checkpoints.warnings { try say(warning) }
    let recording = try origin.frames(in: directory, seed: seed, say: say)
    if origin.isImported, !pretraining.background {
      try say("no background is taken away: whole pictures are reconstructed (--no-background)")
    }

    var training = try Pretraining(
      Model.self, on: recording, frameStack: episode.frameStack, modelSettings: model, settings: pretraining, seed: seed
    )
    var loop = Loop(pretraining)
    if let checkpoint = checkpoints.newest {
      loop = try decoded(
        Loop.self, from: checkpoint, Loop.part, like: loop,
        StateForm(changing: ["last", "secondsBefore"], growing: ["means", "log"]))
      training.state = try decoded(
        Pretraining<Model, Recording>.State.self, from: checkpoint, "pretraining.plist", like: training.state,
        StateForm(changing: ["step", "steps", "learningRate", "weights", "cumulative", "notes"]), check: training.check)
      try say("resuming from update \(training.step): \(checkpoint.path)")
    }
    var log = try RunLog(in: directory, from: loop.log, step: training.step)
    for note in log.notes { try say(note) }
    let secondsBefore = loop.secondsBefore
    func seconds() -> Double { secondsBefore + (clock.now - start) / .seconds(1) }
    let encoder = try train(&training, &loop, &log, &checkpoints, seconds: seconds)

    let (probe, heldOut) = try origin.probe(encoder, pretraining, seed: seed)
    let reconstructions = Reconstructions(
      of: heldOut, by: encoder, threshold: Float(pretraining.changeThreshold))
    try writePictures(encoder, heldOut, reconstructions, to: directory, &log)
    let record = AutoencoderRecord(
      encoder, settings: model, environment: origin.id, episode: episode,
      envSteps: recording.environmentSteps, probe: probe,
      isBackgroundSubtracted: pretraining.background, reconstructions: reconstructions,
      dataset: try origin.dataset.map(AutoencoderRecord.Source.init))
    try encoder.write(to: directory.path, record: record)

    let summary: JSON = [
      "run": .string(directory.path), "autoencoder": .string(directory.path),
      "environment": .string(origin.id),
      "kind": .string(Model.id), "env_steps": .integer(recording.environmentSteps), "seconds": .number(seconds()),
      "psnr": .number(reconstructions.psnr), "psnr_moving": .number(reconstructions.movingPSNR),
      "probe": .object(zip(probe.names, probe.r2).map { .init($0, .number($1)) }),
      "probe_worst": probe.names.isEmpty ? .null : .number(probe.worst), "peak_mb": .number(Host.peakMegabytes),
    ]
    try directory.finish(summary)
    if !probe.names.isEmpty { try say("state probe, R² on held-out frames: \(probe.summary)") }
    try say(
      "reconstruction of the \(encoder.target.isFrame ? "frame" : "blurred target"): PSNR "
        + "\(rounded(reconstructions.psnr, 1)) dB, on moving pixels \(rounded(reconstructions.movingPSNR, 1)) dB")
    if !origin.isImported, let warning = StateProbe.warning(about: probe.record) { try say(warning) }
    return summary
  }

  /// The state of the loop that checkpoints store besides the training itself.
  private struct Loop: Codable {
    static var part: String { "loop.plist" }

    var means = MetricsMean()
    var report = Every(50)
    var checkpoint: Every
    var log: RunLog.Position?
    /// The run time of the earlier processes of this run.
    var secondsBefore = 0.0

    init(_ settings: PretrainingSettings) { checkpoint = Every(settings.checkpointEvery) }
  }

  /// - Parameter seconds: Returns the run time since the start, over all processes.
  private func train(
    _ training: inout Pretraining<Model, Recording>, _ loop: inout Loop, _ log: inout RunLog,
    _ checkpoints: inout Checkpoints, seconds: () -> Double
  ) throws -> LatentEncoder<Model> {
    var progress = Progress("pretrain", total: pretraining.updates, from: training.step)
    while !training.isDone {
      loop.means.add(try training.update())
      if loop.report(training.step) || training.isDone {
        let metrics = loop.means.take()
        try log.append(step: training.step, metrics)
        progress.update(training.step, ["loss": metrics["autoencoder/loss"] ?? .nan])
      }
      let stops = Interruption.isWanted
      if loop.checkpoint(training.step) || training.isDone || stops {
        try requireFinite(training.encoder.model, step: training.step)
        try log.synchronize()
        loop.log = log.position
        var saved = loop
        saved.secondsBefore = seconds()
        try checkpoints.write(step: training.step) { writer in
          try writer.write(Loop.part) { try encoded(saved) }
          try writer.write("pretraining.plist") { try encoded(training.state) }
        }
      }
      if stops { try Interruption.check() }
    }
    progress.finish()
    return try training.finished()
  }

  private func writePictures(
    _ encoder: LatentEncoder<Model>, _ heldOut: Recording, _ reconstructions: Reconstructions,
    to directory: RunDirectory, _ log: inout RunLog
  ) throws {
    let text = ["run": directory.name, "environment": origin.id, "step": "\(pretraining.updates)"]
    let spread = (0..<6).map { $0 * (heldOut.count - 1) / 5 }
    let worst = Array(reconstructions.worst.prefix(6))
    for (name, frames) in [("reconstructions", spread), ("worst", worst)] {
      let grid = reconstructionGrid(of: heldOut.stacks(frames, of: encoder.frameStack), by: encoder)
      try PNG.write(grid, to: directory.file("\(name).png"), text: text)
      try log.image(name, step: pretraining.updates, grid)
    }
    try Film(of: heldOut, through: encoder, heldOut.filmReadings).write(to: directory.file("film.png"), text: text)
  }
}

extension PretrainingRun {
  /// Trains on frames of an environment.
  ///
  /// - Parameter dataset: the dataset to train on; nil collects one.
  public init<E: Environment>(
    _ environment: E, _ kind: Model.Type, episode: EpisodeSettings, collection: CollectionSettings,
    pretraining: PretrainingSettings, model: Model.Settings, seed: Seed, dataset: FrameDataset? = nil
  ) where Origin == PlayedFrames<E> {
    self.init(
      PlayedFrames(of: environment, episode, collection, dataset: dataset), kind, pretraining: pretraining,
      model: model,
      seed: seed)
  }
}
