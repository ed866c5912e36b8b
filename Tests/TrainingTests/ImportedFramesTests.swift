import Autoencoders
import Core
import Environments
import Formats
import Foundation
import Pixels
import Representations
import Runs
import Tensors
import Testing

@testable import Training

/// Writes a dataset as `pixelrl import` does: a bright square that moves over a dark background, or over noise.
private func writePictures(
  _ path: String, episodes: [Int], states: [String] = [], isNoisy: Bool = false, actions: ActionSpace = .empty
) throws -> FrameDataset {
  let imported = ImportedPictures(
    source: "films/walk.mp4", kind: "a video", fit: .letterbox, every: 1, sizes: ["64x48"], stateNames: states,
    actionSpace: actions)
  var random = Seed(1).stream("noise")
  func frame(_ index: Int) -> PixelBuffer {
    var frame = PixelBuffer(width: 16, height: 16)
    if isNoisy { for i in frame.bytes.indices { frame.bytes[i] = UInt8(random.integer(below: 256)) } }
    frame.paste(
      PixelBuffer(width: 4, height: 4, format: .rgb, bytes: [UInt8](repeating: 250, count: 48)), left: index % 12,
      top: 4 + index % 5)
    return frame
  }
  var writer = try FrameDatasetWriter(
    path: path, manifest: FrameDatasetManifest(imported: imported, size: 16, format: .rgb), frame: frame(0),
    stateSize: states.count, actionSize: actions.arrayCount)
  var index = 0
  for length in episodes {
    for step in 0..<length {
      let state = states.map { _ in Double(index % 12) }
      if step == 0 {
        try writer.start(frame(index), state: state)
      } else {
        let action = [Double](repeating: 0.5, count: actions.arrayCount)
        try writer.append(action: action, Step(reward: 0), frame(index), state: state)
      }
      index += 1
    }
  }
  try writer.commit()
  return try FrameDataset(path: path)
}

private func smallSettings(_ dataset: FrameDataset) -> PretrainingSettings {
  var settings = PretrainingSettings(for: dataset)
  (settings.steps, settings.batch, settings.probeSteps) = (12, 8, 30)
  return settings
}

/// Pretrains in a new run directory.
private func pretrain(
  on dataset: FrameDataset, in path: String, stack: Int = 1, _ change: (inout PretrainingSettings) -> Void = { _ in }
) throws -> RunDirectory {
  var (model, settings, frames) = (KeypointAutoencoder.Settings(), smallSettings(dataset), FrameStack())
  (model.keypoints, model.filters, frames.frames) = (4, 8, stack)
  change(&settings)
  let work = PretrainingRun(
    try ImportedFrames(dataset, frames), KeypointAutoencoder.self, pretraining: settings, model: model, seed: Seed(1))
  try work.check()
  let run = try RunDirectory(
    at: path,
    RunDirectory.Facts(
      command: "pretrain-ae", environment: "import:walk.mp4", member: KeypointAutoencoder.id, seed: 1,
      commandLine: ["pixelrl", "pretrain-ae"], version: "test"),
    settings: work.groups)
  _ = try work.run(in: run) { _ in }
  return run
}

@Suite struct ImportedFramesTests {
  /// The last tenth is held out, and an episode is not cut if it begins in the second half.
  @Test(arguments: [
    ([40], 36, 4), ([30, 10], 30, 10), ([10, 30], 36, 4), ([20, 9, 8, 3], 37, 3), ([3], 2, 1), ([1], 1, 1),
    ([1, 1], 1, 1),
  ])
  func framesAreHeldOut(episodes: [Int], training: Int, heldOut: Int) throws {
    try withFolder { folder in
      let dataset = try writePictures("\(folder)/d", episodes: episodes)
      let (first, last) = try ImportedFrames(dataset).split()
      #expect(first.count == training && last.count == heldOut)
      #expect(first.frame(0) == dataset.frame(0))
      #expect(last.frame(heldOut - 1) == dataset.frame(dataset.count - 1))
    }
  }

  @Test func theStateProbeReadsTheColumns() throws {
    try withFolder { folder in
      let dataset = try writePictures("\(folder)/d", episodes: [60], states: ["x"])
      let run = try pretrain(on: dataset, in: "\(folder)/run")
      let record = try AutoencoderRecord(folder: run.path)
      #expect(record.probe.map(\.key) == ["x"] && record.environment == "import:walk.mp4")
      #expect(record.view.contains(.init(key: "fit", text: "letterbox")))
      let inspection = try Inspection(of: run.path)
      let files = inspection.pictures.map(\.file)
      for file in ["probe.png", "reconstructions.png", "traversals.png", "film.png", "projection-state.png"] {
        #expect(files.contains(file), "\(file)")
      }
      #expect(
        inspection.json["probe"]?["recorded"]?["x"]?.double
          == inspection.json["probe"]?["r2"]?["x"]?.double.map { ($0 * 1e4).rounded() / 1e4 })
      for name in ["reconstructions.png", "worst.png", "film.png"] { #expect(exists(run.file(name)), "\(name)") }
      #expect(!exists(run.file("dataset")))
    }
  }

  /// Without states there is no probe, and the dataset may be moved only if it is found again.
  @Test func picturesAloneAreEnough() throws {
    try withFolder { folder in
      let run = try pretrain(on: try writePictures("\(folder)/d", episodes: [20, 20]), in: "\(folder)/run", stack: 2)
      #expect(try AutoencoderRecord(folder: run.path).probe.isEmpty)
      let inspection = try Inspection(of: run.path)
      #expect(inspection.pictures.contains { $0.file == "reconstructions.png" })
      #expect(!inspection.pictures.contains { $0.file == "probe.png" })
      #expect(inspection.notes.contains { $0.contains("held out") })
      let episode = inspection.pictures.first { $0.file == "episode.png" }
      #expect(episode?.title == "The first held-out pictures")
      #expect(episode?.caption.hasPrefix("The first episode held out: its frames, ") == true)
      try FileManager.default.moveItem(atPath: "\(folder)/d", toPath: "\(folder)/e")
      let error = #expect(throws: WorldError.self) { try Inspection(of: run.path) }
      #expect(error?.description.contains("are missing: restore them") == true)
    }
  }

  /// Latents are those that an agent gets, also for stacks that must not reach into another episode.
  @Test(arguments: [1, 3]) func latentsAreThoseOfTheEncoder(stack: Int) throws {
    try withFolder { folder in
      let dataset = try writePictures("\(folder)/d", episodes: [70, 5, 60])
      let run = try pretrain(on: dataset, in: "\(folder)/run", stack: stack)
      let encoder = try LatentEncoder<KeypointAutoencoder>(
        folder: run.path, record: AutoencoderRecord(folder: run.path))
      var writer = try LatentWriter(path: "\(folder)/z.npy", encoder)
      for index in 0..<dataset.count {
        try writer.append(dataset.frame(index), beginsEpisode: index == 0 || !dataset.isFollowed(index - 1))
      }
      #expect(try writer.commit() == 135)
      let recording = try Recording(dataset, observationNames: [], actionSpace: .empty)
      let (found, expected) = (try NumPyArray<Float>(path: "\(folder)/z.npy"), encoder.encodeAll(recording))
      #expect(found.shape == [expected.shape[0], expected.shape[1]])
      #expect(zip(found.elements, expected.array).allSatisfy { abs($0 - $1) < 1e-4 })
      let exists = #expect(throws: InputError.self) { _ = try LatentWriter(path: "\(folder)/z.npy", encoder) }
      #expect(exists?.description.contains("choose another name with --out") == true)
      #expect(throws: InputError.self) { _ = try LatentWriter(path: "\(folder)/z.npz", encoder) }
    }
  }

  /// Where the median image is no background, whole pictures are reconstructed.
  @Test func theBackgroundIsTakenAwayIfThereIsOne() throws {
    try withFolder { folder in
      let still = PretrainingSettings(for: try writePictures("\(folder)/still", episodes: [30]))
      let noise = PretrainingSettings(for: try writePictures("\(folder)/noise", episodes: [30], isNoisy: true))
      #expect(still == PretrainingSettings())
      #expect(!noise.background && noise.targetBlur == 0 && noise.targetGain == 1 && noise.changeWeight == 0)
    }
  }

  @Test func actionsArePredictedIfThereAreAny() throws {
    try withFolder { folder in
      let without = try writePictures("\(folder)/d", episodes: [30])
      let error = #expect(throws: InputError.self) {
        try pretrain(on: without, in: "\(folder)/run") { $0.actionWeight = 1 }
      }
      #expect(error?.description.contains("has no actions, which --action-weight needs: use --action-weight 0") == true)
      let short = try writePictures("\(folder)/s", episodes: [2, 2, 2], actions: .discrete(count: 3))
      let tooShort = #expect(throws: InputError.self) {
        try pretrain(on: short, in: "\(folder)/run") { $0.actionWeight = 1 }
      }
      #expect(tooShort?.description.contains("--action-weight needs 3 consecutive frames") == true)
      #expect(!exists("\(folder)/run"))
      let with = try writePictures("\(folder)/e", episodes: [30], actions: .continuous(low: [-1], high: [1]))
      let run = try pretrain(on: with, in: "\(folder)/run") { $0.actionWeight = 1 }
      let metrics = try String(contentsOfFile: run.file("metrics.jsonl"), encoding: .utf8)
      #expect(metrics.contains("autoencoder/action-error"))
    }
  }

  @Test func anEnvironmentRefusesImportedPictures() throws {
    try withFolder { folder in
      let dataset = try writePictures("\(folder)/d", episodes: [5])
      let error = #expect(throws: InputError.self) { try dataset.check(Catch.spec, EpisodeSettings()) }
      #expect(error?.description.contains("leave out --env") == true)
      #expect(try FrameDataset(path: dataset.path).manifest == dataset.manifest)
    }
  }
}
