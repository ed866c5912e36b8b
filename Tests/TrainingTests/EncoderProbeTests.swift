import Autoencoders
import Core
import Environments
import Representations
import Runs
import Testing

@testable import Training

@Suite struct EncoderProbeTests {
  @Test func supervisionTeachesTheStateThatRandomWeightsDoNotShow() throws {
    let episode = smallEpisode(size: 24)
    let collection = collectionSettings(600, episodeSteps: 30)
    let frames = try ProbeFrames(randomPlayOf: PendulumSwingup(), episode, collection, frames: 600, seed: Seed(1))
    #expect(frames.training.count >= 600 && frames.heldOut.count >= 200 && frames.name == "random play")
    var settings = KeypointAutoencoder.Settings()
    (settings.keypoints, settings.filters) = (4, 8)
    var random = Seed(2).stream("weights")
    var untrained = try LatentEncoder<KeypointAutoencoder>(
      untrainedFor: frames.training, modelSettings: settings, PretrainingSettings(), using: &random)
    untrained.standardize(on: untrained.encodeAll(frames.training))
    let before = StateProbe(of: untrained, on: frames, steps: 300, seed: Seed(3))

    var training = SupervisedTraining()
    (training.updates, training.batch) = (200, 16)
    let seen = Calls()
    let supervised = try training.encoder(
      like: untrained, on: frames.training, frames: 3, angles: frames.angles, seed: Seed(4)
    ) { seen.last = $0 }
    let after = StateProbe(of: supervised, on: frames, steps: 300, seed: Seed(3))
    #expect(seen.last == 200)
    #expect(after.names == before.names && after.names.count == 3)
    for (before, after) in zip(before.r2, after.r2) {
      #expect(after > 0.9 && 1 - after < 0.6 * (1 - before), "\(before) before, \(after) after")
    }
  }

  private final class Calls { var last = 0 }

  @Test func aRunIsProbedOnRandomPlayAndOnADataset() throws {
    try withFolder { folder in
      let run = try Pipeline(folder: folder).pretrain()
      let probe = try EncoderProbe(of: run.path, on: nil, supervised: nil, seed: nil)
      let record = try AutoencoderRecord(folder: run.path)
      // The same frames and the same network as in the pretraining.
      #expect(probe.names == record.probe.map(\.key))
      #expect(zip(probe.r2, record.probe).allSatisfy { abs($0 - (Double($1.text) ?? 0)) < 1e-4 })
      #expect(probe.ceiling == nil && probe.fractions == nil && probe.frames == "random play")

      var training = SupervisedTraining()
      (training.updates, training.batch) = (3, 4)
      let dataset = try FrameDataset(path: run.file("dataset"))
      let other = try EncoderProbe(of: run.path, on: dataset, supervised: training, seed: Seed(9))
      #expect(other.frames == dataset.path && other.training + other.heldOut == dataset.count)
      #expect(other.heldOut * 2 <= dataset.count && other.heldOut > 0)
      #expect(other.ceiling?.count == other.names.count)
      #expect(other.json["r2"]?.members?.map(\.key) == other.names)
    }
  }
}
