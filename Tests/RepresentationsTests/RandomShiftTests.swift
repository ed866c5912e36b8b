import Core
import Replay
import Tensors
import Testing

@testable import Representations

/// Frames that are shifted at random.
@Suite struct RandomShiftTests {
  private func frames(_ count: Int, _ channels: Int, _ height: Int, _ width: Int) -> Tensor {
    var random = Seed(1).stream("frames")
    return .normal([count, channels, height, width], using: &random)
  }

  /// As the papers say it: one frame, padded on all sides by repeating its edge, of which a window is cut.
  private func paddedAndCropped(_ x: Tensor, _ shift: Shift) -> [Float] {
    let (channels, height, width) = (x.shape[1], x.shape[2], x.shape[3])
    let pad = max(abs(shift.right), abs(shift.down))
    let numbers = x.array
    return (0..<channels).flatMap { c in
      var padded = (0..<height).map { i in
        let row = Array(numbers[(c * height + i) * width..<(c * height + i + 1) * width])
        return [Float](repeating: row[0], count: pad) + row + [Float](repeating: row[width - 1], count: pad)
      }
      padded =
        [[Float]](repeating: padded[0], count: pad) + padded + [[Float]](repeating: padded[height - 1], count: pad)
      return padded[(pad - shift.down)...].prefix(height).flatMap { $0[(pad - shift.right)...].prefix(width) }
    }
  }

  @Test(arguments: [(3, 9, 9), (1, 5, 12), (6, 18, 18), (2, 3, 3)]) func isToPadAndToCrop(_ size: (Int, Int, Int)) {
    let (channels, height, width) = size
    let shifts = (-4...4).flatMap { right in (-4...4).map { Shift(right: right, down: $0) } }
    let x = frames(shifts.count, channels, height, width)
    let found = shifted(x, shifts)
    #expect(found.shape == x.shape)
    for (b, shift) in shifts.enumerated() {
      #expect(found.rows(b..<b + 1).array == paddedAndCropped(x.rows(b..<b + 1), shift), "\(shift)")
    }
  }

  @Test func noShiftChangesNothing() {
    let x = frames(3, 2, 5, 7)
    #expect(shifted(x, [.none, .none, .none]).array == x.array)
  }

  @Test func whatMovesToTheRightStandsFurtherRight() {
    var numbers = [Float](repeating: 0, count: 25)
    numbers[2 * 5 + 1] = 1
    let moved = shifted(Tensor(numbers, [1, 1, 5, 5]), [Shift(right: 2, down: -1)]).array
    #expect(moved.indices.filter { moved[$0] == 1 } == [1 * 5 + 3])
  }

  /// Farther than the frame is large there is nothing but its corner.
  @Test func farShiftsLeaveTheCorner() {
    let x = frames(1, 1, 5, 7)
    #expect(shifted(x, [Shift(right: 64, down: 64)]).array.allSatisfy { $0 == x.array[0] })
    #expect(shifted(x, [Shift(right: -64, down: -64)]).array.allSatisfy { $0 == x.array[34] })
  }

  @Test func aShiftIsNeededForEachFrame() async {
    await #expect(processExitsWith: .failure) { _ = shifted(.zeros([2, 1, 4, 4]), [.none]) }
  }

  /// All 81 come, about as often as each other.
  @Test func allShiftsComeAndNoOther() {
    var random = Seed(3).stream("shifts")
    var counts: [Shift: Int] = [:]
    for _ in 0..<8100 { counts[Shift(atMost: 4, using: &random), default: 0] += 1 }
    #expect(counts.count == 81)
    #expect(counts.keys.allSatisfy { abs($0.right) <= 4 && abs($0.down) <= 4 })
    // 100 each; five deviations of 10 either way.
    #expect(counts.values.allSatisfy { (50...150).contains($0) })
    #expect(Shift(atMost: 0, using: &random) == .none)
  }

  /// All frames of an observation's history are shifted in one way, so that what moves in it is what moved; observations are
  /// shifted in ways of their own, also that of one moment that is drawn twice.
  @Test func aHistoryIsShiftedAsAWhole() throws {
    let encoder = try smallEncoder()
    var place = Place.augmented
    place.frameStack = 1
    // Two frames that are equal: wherever they are shifted to, their latents are.
    let layout = HistoryLayout(latentSize: 6, frames: 2, actions: 0, actionSpace: Story.actionSpace)
    var frames = EncodedFrames(encoder, place: place, seed: Seed(1))
    var replay = ReplayBuffer(capacity: 20, layout: layout, memory: frames.memory)
    let frame = Story(1).lanes[0][0].frame
    replay.begin(lane: 0, latent: [Float]().span, frame: frame)
    for _ in 0..<9 {
      replay.append(lane: 0, action: [0, 0].span, step: Step(reward: 0), latent: [Float]().span, frame: frame)
    }
    var random = Seed(2).stream("draws")
    let (batch, _) = frames.batch(of: try replay.draw(30, using: &random), from: replay)
    for observation in [batch.observation, batch.nextObservation] {
      #expect(observation.columns(6..<12).array.allSatisfy { $0 == 0 })
      #expect(Set((0..<30).map { observation.rows($0..<$0 + 1).array }).count > 15)
    }
    #expect(batch.observation.array != batch.nextObservation.array)
  }

  /// The place says whether, the setting how far.
  @Test func aFarthestShiftOfZeroIsNone() throws {
    let story = Story(30)
    let layout = HistoryLayout(latentSize: 6, frames: 2, actions: 1, actionSpace: Story.actionSpace)
    func observation(_ place: Place, shift: Int) throws -> Tensor {
      var settings = EncoderSettings()
      settings.shift = shift
      var frames = EncodedFrames(try smallEncoder(stack: 3), place: place, settings: settings, seed: Seed(1))
      let replay = story.replay(layout, frames.memory)
      var random = Seed(2).stream("draws")
      return frames.batch(of: try replay.draw(20, using: &random), from: replay).0.observation
    }
    let plain = try observation(.criticOnly, shift: 4)
    #expect(distance(try observation(.augmented, shift: 0), plain) < 1e-6)
    #expect(distance(try observation(.augmented, shift: 4), plain) > 1e-3)
  }
}
