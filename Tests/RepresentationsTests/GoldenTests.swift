import Autoencoders
import Core
import Foundation
import Networks
import Tensors
import Testing

@testable import Agents
@testable import Replay
@testable import Representations

/// Compares two whole updates of agent and encoder, from the bytes of frames on, with PyTorch: see
/// experiments/checks/golden/places.py.
@Suite struct GoldenTests {
  private let tensors: [String: Tensor]

  init() throws {
    let file = try Safetensors(contentsOf: Bundle.module.bundlePath + "/Golden/places.safetensors")
    tensors = Dictionary(uniqueKeysWithValues: file.tensors.map { ($0.name, $0.value) })
  }

  private func tensor(_ name: String) throws -> Tensor { try #require(tensors[name], "no golden value \(name)") }

  @Test func criticAndReconstruction() throws { try expectGolden("joint", .joint) }

  @Test func targetEncoder() throws {
    try expectGolden("following", .joint, before: "joint", tau: 0.05)
  }

  @Test func criticAndReconstructionOnShiftedFrames() throws {
    try expectGolden("joint-augmented", .jointAugmented, before: "joint")
  }

  @Test func criticOnlyOnShiftedFrames() throws { try expectGolden("augmented", .augmented, stack: 2) }

  private func expectGolden(_ name: String, _ place: Place, before: String? = nil, stack: Int = 1, tau: Double = 1)
    throws
  {
    let before = "\(before ?? name).before"
    var (frames, agent) = (try encodedFrames(place, before, stack, tau), try agent(before))
    if tau < 1 {
      // It differs from the encoder from the first update on, so that the test shows which critics use it.
      frames.target = try loaded(frames.encoder.model, "\(before).target_encoder")
    }
    let replay = try replay(for: frames)
    let starts = try tensor("starts").array.map { ReplayBuffer.Moment(lane: 0, position: Int($0)) }
    var expected = Dictionary(uniqueKeysWithValues: named("\(before)."))
    for update in 1...2 {
      let (batch, batchEncoding) = frames.batch(of: replay.draw(at: starts), from: replay)
      let lesson = agent.update(batch)
      var metrics = lesson.metrics
      metrics.merge(try frames.learn(from: lesson, batchEncoding))
      let reported = named("\(name).\(update).metrics.")
      #expect(Set(reported.map(\.0)) == Set(metrics.entries.map(\.name)))
      for (key, value) in reported {
        let (found, expected) = (try #require(metrics[key], "no metric \(key)"), value.item)
        #expect(abs(found - expected) <= 1e-5 * max(1, abs(expected)), "\(key) of update \(update)")
      }
      // The file does not contain what an update did not change.
      expected.merge(named("\(name).\(update).")) { $1 }
      try expectClose(agent, to: expected, "", "update \(update)")
      try expectClose(frames.encoder.model, to: expected, "encoder.", "update \(update)")
      if let target = frames.target { try expectClose(target, to: expected, "target_encoder.", "update \(update)") }
    }
    #expect((frames.target != nil) == (tau < 1))
  }

  private func named(_ prefix: String) -> [(String, Tensor)] {
    tensors.filter { $0.key.hasPrefix(prefix) }.map { (String($0.key.dropFirst(prefix.count)), $0.value) }
  }

  private func expectClose(
    _ module: some Module, to expected: [String: Tensor], _ prefix: String, _ moment: String
  ) throws {
    for (name, value) in module.parameters {
      let expected = try #require(expected[prefix + name], "no golden value \(prefix)\(name)")
      #expect(distance(value, expected) <= 1e-5, "\(prefix)\(name) of \(moment)")
    }
  }

  private func loaded<M: Module>(_ module: M, _ prefix: String) throws -> M {
    var module = module
    try module.replaceParameters { name, _ in try tensor("\(prefix).\(name)") }
    return module
  }

  private func encodedFrames(
    _ place: Place, _ before: String, _ stack: Int, _ tau: Double
  ) throws -> EncodedFrames<RegularizedAutoencoder> {
    let background = try tensor("background")
    let shape = FrameShape(height: background.shape[0], width: background.shape[1], channels: background.shape[2])
    var (model, settings, pretraining) = (RegularizedAutoencoder.Settings(), EncoderSettings(), PretrainingSettings())
    (model.latent, model.filters, model.latentPenalty, model.decoderPenalty) = (6, 4, 0.02, 0.003)
    (settings.learningRate, settings.reconstructionWeight, settings.tau, settings.shift) = (2e-3, 0.7, tau, 4)
    (pretraining.changeWeight, pretraining.changeThreshold) = (5, 0.03)
    var random = Seed(1).stream("initial weights")
    let encoder = LatentEncoder(
      model: try loaded(
        try RegularizedAutoencoder(frame: shape.stacked(stack), settings: model, using: &random), "\(before).encoder"),
      preparation: FramePreparation(shape: shape, background: background.array.map { UInt8($0) }), frameStack: stack,
      target: ReconstructionTarget(blur: 1, gain: 2), mean: try tensor("mean"), deviation: try tensor("deviation"))
    return EncodedFrames(encoder, place: place, settings: settings, pretraining: pretraining, seed: Seed(7))
  }

  private let layout = HistoryLayout(
    latentSize: 6, frames: 2, actions: 1, actionSpace: .continuous(low: [-1, -1], high: [1, 1]))

  private func agent(_ before: String) throws -> SAC {
    var settings = SAC.Settings()
    (settings.hidden, settings.discount, settings.tau) = (12, 0.97, 0.05)
    (settings.learningRate, settings.temperatureLearningRate, settings.averaging) = (3e-3, 1e-2, 0.05)
    return try loaded(
      SAC(
        observationSize: layout.observationSize, actionSpace: layout.actionSpace, settings: settings, seed: Seed(7)),
      before)
  }

  /// Two episodes of five moments.
  private func replay(for frames: EncodedFrames<RegularizedAutoencoder>) throws -> ReplayBuffer {
    let pictures = try tensor("frames")
    let (actions, rewards, discounts) = (try tensor("actions"), try tensor("rewards"), try tensor("discounts"))
    var replay = ReplayBuffer(capacity: 12, layout: layout, memory: frames.memory)
    let pixels = pictures.reshaped(pictures.shape[0], -1)
    for i in 0..<pictures.shape[0] {
      let frame = pixels.rows(i..<i + 1).array.map { UInt8($0) }
      if i % 5 == 0 {
        replay.begin(lane: 0, latent: [Float]().span, frame: frame)
      } else {
        let discount = Double(discounts.array[i - 1])
        let ending: Ending = i % 5 < 4 ? .running : discount == 0 ? .terminated : .truncated
        replay.append(
          lane: 0, action: actions.rows(i - 1..<i).array.span,
          step: Step(reward: Double(rewards.array[i - 1]), discount: discount, ending: ending),
          latent: [Float]().span, frame: frame)
      }
    }
    return replay
  }
}
