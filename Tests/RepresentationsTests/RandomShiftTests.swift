import Autoencoders
import Core
import Replay
import Tensors
import Testing

@testable import Representations

/// Randomly shifted frames.
@Suite struct RandomShiftTests {
  private func frames(_ count: Int, _ channels: Int, _ height: Int, _ width: Int) -> Tensor {
    var random = Seed(1).stream("frames")
    return .normal([count, channels, height, width], using: &random)
  }

  /// Frames `[B, C, H, W]`, each with its own shift.
  private func shifted(_ x: Tensor, _ shifts: [Shift]) -> Tensor {
    let shape = FrameShape(height: x.shape[2], width: x.shape[3], channels: x.shape[1])
    return Tensor(x.shape, of: Float.self) { target in
      for (b, shift) in shifts.enumerated() {
        let frame = x.rows(b..<b + 1).array
        writeShifted(frame.span, shape, by: shift, into: &target, at: b * shape.count)
      }
    }
  }

  /// The definition of the papers: pads one frame on all sides by repeating its edge, then crops it.
  private func paddedAndCropped(_ x: Tensor, _ shift: Shift) -> [Float] {
    let (channels, height, width) = (x.shape[1], x.shape[2], x.shape[3])
    let pad = max(abs(shift.right), abs(shift.down))
    let values = x.array
    return (0..<channels).flatMap { c in
      var padded = (0..<height).map { i in
        let row = Array(values[(c * height + i) * width..<(c * height + i + 1) * width])
        return [Float](repeating: row[0], count: pad) + row + [Float](repeating: row[width - 1], count: pad)
      }
      padded =
        [[Float]](repeating: padded[0], count: pad) + padded + [[Float]](repeating: padded[height - 1], count: pad)
      return padded[(pad - shift.down)...].prefix(height).flatMap { $0[(pad - shift.right)...].prefix(width) }
    }
  }

  @Test(arguments: [(3, 9, 9), (1, 5, 12), (6, 18, 18), (2, 3, 3)]) func equalsPaddingAndCropping(
    _ size: (Int, Int, Int)
  ) {
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

  @Test func positiveShiftsMoveRightAndDown() {
    var values = [Float](repeating: 0, count: 25)
    values[2 * 5 + 1] = 1
    let moved = shifted(Tensor(values, [1, 1, 5, 5]), [Shift(right: 2, down: -1)]).array
    #expect(moved.indices.filter { moved[$0] == 1 } == [1 * 5 + 3])
  }

  /// A shift beyond the size of the frame leaves only the value of its corner.
  @Test func largeShiftsLeaveTheCorner() {
    let x = frames(1, 1, 5, 7)
    #expect(shifted(x, [Shift(right: 64, down: 64)]).array.allSatisfy { $0 == x.array[0] })
    #expect(shifted(x, [Shift(right: -64, down: -64)]).array.allSatisfy { $0 == x.array[34] })
  }

  /// All 81 shifts occur about equally often.
  @Test func shiftsAreUniform() {
    var random = Seed(3).stream("shifts")
    var counts: [Shift: Int] = [:]
    for _ in 0..<8100 { counts[Shift(atMost: 4, using: &random), default: 0] += 1 }
    #expect(counts.count == 81)
    #expect(counts.keys.allSatisfy { abs($0.right) <= 4 && abs($0.down) <= 4 })
    // 100 each; five deviations of 10 either way.
    #expect(counts.values.allSatisfy { (50...150).contains($0) })
    #expect(Shift(atMost: 0, using: &random) == .none)
  }

  /// All frames of an observation's history have the same shift, so that shifts do not look like motion. Different
  /// observations have different shifts, even if they are drawn from the same moment.
  @Test func allFramesOfAHistoryHaveTheSameShift() throws {
    let encoder = try smallEncoder()
    var place = Place.augmented
    place.frameStack = 1
    // The two frames are equal, so with the same shift their latents are equal too.
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

  /// The place determines whether frames are shifted, the setting how far.
  @Test func aMaximumShiftOfZeroIsNoShift() throws {
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
