import Agents
import Autoencoders
import Core
import Replay
import Tensors
import Testing

@testable import Representations

/// Recorded episodes in two lanes, for replay buffers that store frames or latents of them: noise on a static image, in
/// episodes of seven moments, every second of which terminates while the others are truncated.
struct Story {
  struct Moment {
    let frame: [UInt8]
    let isFirst: Bool
    /// The action that led to this moment.
    let action: [Float]
    let step: Step
  }

  static let shape = FrameShape(height: 18, width: 18, channels: 3)
  static let actionSpace = ActionSpace.continuous(low: [-1, -1], high: [1, 1])
  static let still = (0..<shape.count).map { UInt8($0 * 7 % 200) }

  let lanes: [[Moment]]

  /// - Parameter moments: the number of moments per lane.
  init(_ moments: Int, seed: UInt64 = 1) {
    var random = Seed(seed).stream("story")
    lanes = (0..<2).map { _ in
      (0..<moments).map { number in
        let (age, episode) = (number % 7, number / 7)
        let ending: Ending = age < 6 ? .running : episode % 2 == 0 ? .terminated : .truncated
        let frame = Self.still.map { random.chance(0.3) ? UInt8(random.integer(below: 256)) : $0 }
        return Moment(
          frame: frame, isFirst: age == 0, action: Self.actionSpace.normalized(Self.actionSpace.sample(using: &random)),
          step: Step(reward: random.normal(), discount: ending == .terminated ? 0 : 1, ending: ending))
      }
    }
  }

  /// Returns a replay buffer with the episodes.
  ///
  /// - Parameter latent: returns the latent of a frame's bytes; nil if no latents are stored.
  func replay(
    _ layout: HistoryLayout, _ memory: ReplayMemory, capacity: Int = 200, latent: (([UInt8]) -> [Float])? = nil
  ) -> ReplayBuffer {
    var replay = ReplayBuffer(capacity: capacity, lanes: lanes.count, layout: layout, memory: memory)
    for (lane, moments) in lanes.enumerated() {
      for moment in moments {
        let latent = latent?(moment.frame) ?? []
        if moment.isFirst {
          replay.begin(lane: lane, latent: latent.span, frame: moment.frame)
        } else {
          replay.append(
            lane: lane, action: moment.action.span, step: moment.step, latent: latent.span, frame: moment.frame)
        }
      }
    }
    return replay
  }

  /// Returns the position `steps` before another, or the first position of its episode.
  func back(_ position: Int, _ steps: Int) -> Int { max(position - steps, position / 7 * 7) }

  /// Returns the bytes of a moment and of those before it, the oldest first.
  func stack(_ lane: Int, _ position: Int, of count: Int) -> [[UInt8]] {
    (0..<count).reversed().map { lanes[lane][back(position, $0)].frame }
  }
}

/// Returns a small encoder of a story's frames, with a mean other than 0 and deviations other than 1.
func smallEncoder(stack: Int = 1, seed: UInt64 = 3) throws -> LatentEncoder<RegularizedAutoencoder> {
  var settings = RegularizedAutoencoder.Settings()
  (settings.latent, settings.filters) = (6, 4)
  var random = Seed(seed).stream("initial weights")
  var model = try RegularizedAutoencoder(frame: Story.shape.stacked(stack), settings: settings, using: &random)
  // So that no bias is zero and no scale is one.
  model.replaceParameters { $1 + 0.05 * .normal($1.shape, using: &random) }
  return LatentEncoder(
    model: model, preparation: FramePreparation(shape: Story.shape, background: Story.still), frameStack: stack,
    target: ReconstructionTarget(blur: 1, gain: 2), mean: 0.2 * .normal([6], using: &random),
    deviation: Tensor([0.4, 0.6, 0.8, 1.2, 0.5, 0.9] as [Float], [6]))
}

/// A place as a test argument.
struct PlaceCase: Sendable, CustomTestStringConvertible {
  let place: Place
  var testDescription: String { place.id }
  static let all = Places.all.map(PlaceCase.init)
  static func all(where isIncluded: (Place) -> Bool) -> [PlaceCase] { all.filter { isIncluded($0.place) } }
}

/// An agent, an encoder with its place, and a replay buffer with the memory that the place needs.
struct Learners: ~Copyable {
  typealias Frames = EncodedFrames<RegularizedAutoencoder>

  var frames: Frames
  var agent: SAC
  var replay: ReplayBuffer
  var random = Seed(9).stream("draws")

  init(
    _ place: Place, agentSeed: UInt64 = 4, actorPeriod: Int = 2,
    settings change: (inout EncoderSettings) -> Void = { _ in }
  ) throws {
    var settings = EncoderSettings()
    (settings.retrainEvery, settings.retrainSteps) = (100, 3)
    change(&settings)
    var pretraining = PretrainingSettings()
    (pretraining.batch, pretraining.changeWeight) = (6, 5)
    frames = Frames(
      try smallEncoder(stack: place.frameStack ?? 1), place: place, settings: settings, pretraining: pretraining,
      seed: Seed(5))
    let layout = HistoryLayout(latentSize: 6, frames: 2, actions: 1, actionSpace: Story.actionSpace)
    var agentSettings = SAC.Settings()
    (agentSettings.hidden, agentSettings.actorPeriod) = (12, actorPeriod)
    agent = SAC(
      observationSize: layout.observationSize, actionSpace: Story.actionSpace, settings: agentSettings,
      seed: Seed(agentSeed))
    let encoder = frames.encoder
    let memory = frames.memory
    replay = Story(60).replay(layout, memory) { frame in
      guard memory.keepsLatents else { return [] }
      let x = encoder.prepare(encoder.frameStack) { body, _ in body(frame.span) }
      return encoder.encode(prepared: x.rows(0..<1)).array
    }
  }

  /// Draws a batch, updates the agent with it, and then the encoder.
  ///
  /// - Parameter teach: changes the lesson that the encoder gets.
  @discardableResult mutating func update(
    teach: (Lesson, Batch) -> Lesson = { lesson, _ in lesson }
  ) throws -> (batch: Batch, lesson: Lesson, metrics: Metrics) {
    let draw = try replay.draw(8, using: &random)
    let (batch, batchEncoding) = frames.batch(of: draw, from: replay)
    let lesson = agent.update(batch)
    return (batch, lesson, try frames.learn(from: teach(lesson, batch), batchEncoding))
  }

  /// The bits of the encoder's parameters.
  var encoderBits: [[UInt32]] { bits { !$0.isOfDecoder } }
  /// The bits of the decoder's parameters.
  var decoderBits: [[UInt32]] { bits { $0.isOfDecoder } }

  private func bits(_ isIncluded: (String) -> Bool) -> [[UInt32]] {
    frames.encoder.model.parameters.filter { isIncluded($0.name) }.map { $0.value.array.map(\.bitPattern) }
  }
}

extension String {
  /// Whether this is the name of a decoder parameter of the regularised autoencoder.
  var isOfDecoder: Bool { hasPrefix("de") }
}

/// Returns the largest difference between elements of two tensors.
func distance(_ a: Tensor, _ b: Tensor, at location: SourceLocation = #_sourceLocation) -> Double {
  #expect(a.shape == b.shape, sourceLocation: location)
  return zip(a.doubles, b.doubles).map { abs($0 - $1) }.max() ?? .nan
}
