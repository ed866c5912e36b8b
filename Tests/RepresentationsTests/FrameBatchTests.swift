import Agents
import Autoencoders
import Core
import Replay
import Synchronization
import Tensors
import Testing

@testable import Representations

/// Batches that are made from frames.
@Suite struct FrameBatchTests {
  private let layout = HistoryLayout(latentSize: 6, frames: 3, actions: 2, actionSpace: Story.actionSpace)
  private static let lengths = [30, 150]  // moments per lane, of which 100 are kept
  private static let steps = [1, 2, 4]

  private func unshifted(stack: Int) -> Place {
    var place = Place.criticOnly
    place.frameStack = stack
    return place
  }

  private func draw(_ count: Int, _ steps: Int, from replay: borrowing ReplayBuffer) throws -> ReplayDraw {
    var random = Seed(8).stream("draws")
    return try replay.draw(count, steps: steps, discount: 0.9, includesIntermediate: true, using: &random)
  }

  /// While the encoder does not change, batches from frames equal batches from stored latents.
  @Test(arguments: lengths, steps) func equalBatchesOfStoredLatents(_ moments: Int, _ steps: Int) throws {
    let (story, encoder) = (Story(moments), try smallEncoder())
    var frames = EncodedFrames(encoder, place: unshifted(stack: 1), seed: Seed(1))
    let kept = story.replay(layout, .latents) { frame in
      encoder.encode(prepared: encoder.prepare(1) { body, _ in body(frame.span) }).array
    }
    let replay = story.replay(layout, frames.memory)
    let draw = try draw(40, steps, from: replay)
    let (batch, _) = frames.batch(of: draw, from: replay)
    let expected = kept.batch(of: try self.draw(40, steps, from: kept))
    #expect(batch.slots == expected.slots && batch.action.array == expected.action.array)
    #expect(batch.reward.array == expected.reward.array && batch.discount.array == expected.discount.array)
    #expect(distance(batch.observation, expected.observation) < 1e-5)
    #expect(distance(batch.nextObservation, expected.nextObservation) < 1e-5)
    #expect((batch.between != nil) == (steps > 1))
    if let between = expected.between {
      let found = try #require(batch.between)
      #expect(distance(found.observation, between.observation) < 1e-5)
      #expect(found.weight.array == between.weight.array)
      #expect(Set(found.weight.array.map { $0 == 0 }).count == 2, "some transitions must end early")
    }
  }

  @Test(arguments: lengths, [2, 3]) func equalStacksEncodedManually(_ moments: Int, _ stack: Int) throws {
    let (story, encoder) = (Story(moments), try smallEncoder(stack: stack))
    var frames = EncodedFrames(encoder, place: unshifted(stack: stack), seed: Seed(1))
    let replay = story.replay(layout, frames.memory)
    let draw = try draw(16, 3, from: replay)
    let (batch, _) = frames.batch(of: draw, from: replay)

    func latents(_ moments: [ReplayBuffer.Moment], _ age: Int) -> Tensor {
      var x: [Float] = []
      for moment in moments {
        for frame in story.stack(moment.lane, story.back(moment.position, age), of: stack) {
          let difference = zip(frame, Story.still).map { (Float($0) - Float($1)) / 255 }
          for channel in 0..<3 {
            x += stride(from: channel, to: difference.count, by: 3).map { difference[$0] }
          }
        }
      }
      let z = encoder.model.encode(Tensor(x, [moments.count, 3 * stack, 18, 18]))
      return (z - encoder.mean) / encoder.deviation
    }
    func observation(_ moments: [ReplayBuffer.Moment]) -> Tensor {
      let z = (0..<3).map { latents(moments, $0) }
      let actions = (1...2).map { age in
        Tensor(
          moments.flatMap { moment in
            moment.position % 7 < age ? [0, 0] : story.lanes[moment.lane][moment.position - age + 1].action
          }, [moments.count, 2])
      }
      return concatenated([z[0], 2 * (z[0] - z[1]), 2 * (z[1] - z[2])] + actions)
    }
    // Rounding errors are amplified by small deviations and the factor of differences. A different frame gives 0.01.
    #expect(distance(batch.observation, observation(draw.starts)) < 1e-4)
    #expect(distance(batch.nextObservation, observation(draw.ends)) < 1e-4)
    #expect(distance(try #require(batch.between).observation, observation(draw.between)) < 1e-4)
    #expect(distance(observation(draw.starts), observation(draw.ends)) > 0.01)
  }

  /// The pullback from the observation to the encoder's parameters agrees with finite differences, even if transitions
  /// and frames occur several times in a batch.
  @Test(arguments: [1, 2]) func pullbackAgreesWithFiniteDifferences(_ stack: Int) throws {
    let place = unshifted(stack: stack)
    let replay = Story(12).replay(layout, .frames(of: Story.shape.count, stack: stack))
    let draw = try draw(20, 1, from: replay)
    let encoder = try smallEncoder(stack: stack)
    func batch(_ model: RegularizedAutoencoder) -> (Batch, BatchEncoding?) {
      var (frames, changed) = (EncodedFrames(encoder, place: place, seed: Seed(1)), encoder)
      changed.model = model
      frames.encoder = changed
      return frames.batch(of: draw, from: replay)
    }
    let (seen, batchEncoding) = batch(encoder.model)
    var random = Seed(2).stream("seeds")
    let seeds = Tensor.normal(seen.observation.shape, using: &random)
    let history = try #require(batchEncoding?.history)
    let encoding = try #require(batchEncoding?.encoding)
    let latents = try #require(history(seeds).tensors[0])
    let gradient = encoding(latents)
    let parameters = encoder.model.parameters.map(\.value)
    let slopes = zip(parameters, gradient.tensors).map { $1 ?? .zeros($0.shape) }
    // Along the gradient itself, and along random directions.
    for trial in 0..<4 {
      let directions = trial == 0 ? slopes : parameters.map { .normal($0.shape, using: &random) }
      let length = directions.map { square($0).sum().item }.reduce(0, +).squareRoot()
      let slope = zip(slopes, directions).map { ($0 * $1).sum().item }.reduce(0, +) / length
      func loss(_ distance: Double) -> Double {
        var (model, next) = (encoder.model, 0)
        model.replaceParameters { _, value in
          defer { next += 1 }
          return value + directions[next] * (distance / length)
        }
        return (batch(model).0.observation * seeds).sum().item
      }
      let difference = (loss(2e-3) - loss(-2e-3)) / 4e-3
      #expect(abs(difference - slope) < 0.02 * max(1, abs(slope)), "\(slope), not \(difference), in trial \(trial)")
    }
  }

  // MARK: - How often a frame is encoded

  /// Each frame is encoded once, and the last one is repeated up to a multiple of the batch size.
  @Test func eachFrameIsEncodedOncePerBatch() throws {
    func filled(_ count: Int) -> Int { (count + 49) / 50 * 50 }
    let layout = HistoryLayout(latentSize: 2, frames: 3, actions: 1, actionSpace: Story.actionSpace)
    for (place, tau) in [(unshifted(stack: 1), 1.0), (unshifted(stack: 1), 0.5), (.parallel, 1)] {
      var random = Seed(1).stream("initial weights")
      let model = try Counting(frame: Story.shape, settings: Counting.Settings(), using: &random)
      let encoder = LatentEncoder(
        model: model, preparation: FramePreparation(shape: Story.shape), target: ReconstructionTarget())
      var settings = EncoderSettings()
      settings.tau = tau
      var frames = EncodedFrames(encoder, place: place, settings: settings, seed: Seed(1))
      let replay = Story(20).replay(layout, frames.memory)
      let draw = try draw(50, 3, from: replay)
      func slots(_ moments: [ReplayBuffer.Moment]) -> Set<Int> {
        Set(moments.flatMap { replay.window(of: $0, frames: 3, actions: 0).slots })
      }
      Counting.encoded.withLock { $0 = 0 }
      let (batch, batchEncoding) = frames.batch(of: draw, from: replay)
      let all = slots(draw.starts).union(slots(draw.ends)).union(slots(draw.between))
      let starts = slots(draw.starts).count
      let online = filled(filled(starts) + all.count - starts)
      let ofTarget = tau < 1 ? filled(slots(draw.ends).count) : 0
      #expect(Counting.encoded.withLock { $0 } == online + ofTarget)
      let encoding = try #require(batchEncoding)
      #expect(encoding.latents.shape == [filled(starts), 2])
      #expect(encoding.frames.shape[0] == encoding.latents.shape[0] && encoding.rows.count == 50)
      #expect(distance(encoding.latents.gatheringRows(encoding.rows), batch.observation.columns(0..<2)) == 0)
    }
  }
}

/// An encoder that counts the frames it encodes. The latent is the mean of the red and of the green channel.
private struct Counting: Autoencoder {
  struct Settings: AutoencoderSettings {
    static var fields: [Field<Self>] { [] }
  }
  static let id = "counting"
  static let note = "counts frames"
  static let encoded = Mutex(0)

  var settings = Settings()
  var weight = Tensor(repeating: 1, [1])
  var latentSize: Int { 2 }

  init(frame: FrameShape, isBackgroundSubtracted: Bool, settings: Settings, using random: inout Random) throws {}

  func encode(_ x: Tensor) -> Tensor {
    Self.encoded.withLock { $0 += x.shape[0] }
    let channels = x.reshaped(x.shape[0] * 3, -1).mean(axis: 1).reshaped(-1, 3)
    return channels.columns(0..<2) * weight
  }

  func decode(_ z: Tensor) -> Tensor { .zeros([z.shape[0], 3, 18, 18]) + (z * weight).mean() }
  func penalty(_ z: Tensor) -> Tensor { square(z).mean() }
  mutating func visit(_ visitor: inout some ParameterVisitor) { visitor("weight", &weight) }
}
