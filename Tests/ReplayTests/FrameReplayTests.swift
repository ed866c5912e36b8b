import Core
import Tensors
import Testing

@testable import Replay

/// Frames in the replay buffer. Each byte of a frame is the number of its moment.
@Suite struct FrameReplayTests {
  private let layout = HistoryLayout(latentSize: 1, frames: 3, actions: 1, actionSpace: discrete, differenceScale: 1)

  private func frame(_ number: Int) -> [UInt8] { [UInt8](repeating: UInt8(number % 251), count: 5) }

  /// Plays episodes of 7 moments, whose latents are the same numbers as the frames.
  private func played(_ moments: Int, capacity: Int, memory: ReplayMemory) -> ReplayBuffer {
    var buffer = ReplayBuffer(capacity: capacity, layout: layout, memory: memory)
    for number in 0..<moments {
      let latent = [Float(number % 251)]
      if number % 7 == 0 {
        buffer.begin(lane: 0, latent: latent.span, frame: frame(number))
      } else {
        buffer.append(
          lane: 0, action: [Float(number % 4)].span, step: Step(reward: Double(number)), latent: latent.span,
          frame: frame(number))
      }
    }
    return buffer
  }

  @Test(arguments: [40, 600, 1500]) func windowsContainTheFramesOfTheHistory(_ moments: Int) throws {
    let buffer = played(moments, capacity: 520, memory: .latentsAndFrames(of: 5))
    var random = Random(seed: Seed(1))
    let draw = try buffer.draw(300, using: &random)
    let batch = buffer.batch(of: draw)
    func expectedLatents(_ moment: ReplayBuffer.Moment) -> [Float] {
      let numbers = buffer.window(of: moment, frames: 3, actions: 0).slots.map { slot in
        buffer.frames.withFrame(at: slot) { Float($0[4]) }
      }
      return [numbers[0], numbers[0] - numbers[1], numbers[1] - numbers[2]]
    }
    for (b, (start, end)) in zip(draw.starts, draw.ends).enumerated() {
      #expect(batch.observation.rows(b..<b + 1).columns(0..<3).array == expectedLatents(start))
      #expect(batch.nextObservation.rows(b..<b + 1).columns(0..<3).array == expectedLatents(end))
    }
  }

  @Test func observationsOfLatentsEqualThoseOfTheBuffer() throws {
    let buffer = played(200, capacity: 90, memory: .latents)
    var random = Random(seed: Seed(2))
    let draw = try buffer.draw(64, steps: 3, discount: 0.9, includesIntermediate: true, using: &random)
    for moments in [draw.starts, draw.ends, draw.between] {
      let windows = moments.map { buffer.window(of: $0, frames: 3, actions: 0).slots }
      let latents = (0..<3).map { age in Tensor(windows.map { buffer.latents[$0[age]] }, [moments.count, 1]) }
      let made = layout.observation(latents, buffer.pastActions(of: moments))
      #expect(made.array == buffer.observations(of: moments).array)
    }
  }

  /// A transition can be drawn only if all frames of its stacks are still in the buffer, also where its latent is stored:
  /// a round encodes the stack again.
  @Test(arguments: [ReplayMemory.frames(of: 5, stack: 4), .latentsAndFrames(of: 5, stack: 4)])
  func transitionsWithoutTheirStackAreNotDrawn(_ memory: ReplayMemory) throws {
    let buffer = played(300, capacity: 50, memory: memory)
    var random = Random(seed: Seed(3))
    for start in try buffer.draw(2000, using: &random).starts {
      for slot in buffer.window(of: start, frames: layout.frames, actions: 0).slots {
        let numbers = buffer.stack(endingAt: slot, of: 4).map { slot in
          buffer.frames.withFrame(at: slot) { Int($0[0]) }
        }
        for (older, newer) in zip(numbers, numbers.dropFirst()) {
          #expect(newer == (older + 1) % 251 || newer == older, "\(numbers)")
        }
      }
    }
  }

  @Test func aCopyOfTheFramesDoesNotChange() {
    var buffer = played(20, capacity: 30, memory: .frames(of: 5))
    let copy = buffer.allFrames
    func numbers() -> [UInt8] { (0..<copy.count).map { copy.withFrame($0) { $0[0] } } }
    let before = numbers()
    for number in 100..<140 {
      buffer.append(lane: 0, action: [0].span, step: Step(reward: 0), latent: [0].span, frame: frame(number))
    }
    #expect(numbers() == before && before == (0..<20).map { UInt8($0) })
    #expect(copy.episodes == (0..<20).map { $0 / 7 })
    #expect(Array(copy.action(3)) == [0] && copy.rewards[3] == 4, "the action at a frame leads to the next one")
    #expect(buffer.newestFrames(of: 0, atMost: 3).withFrame(2) { $0[0] } == 139)
  }

  /// Revisions of segments show what has changed, and segments restore the buffer exactly, even if the ring has
  /// wrapped.
  @Test(arguments: [ReplayMemory.frames(of: 5), .latentsAndFrames(of: 5, stack: 2)], [100, 2500, 5000])
  func segmentsRestoreTheFrames(_ memory: ReplayMemory, _ moments: Int) throws {
    let buffer = played(moments, capacity: 2100, memory: memory)
    let stored = Dictionary(uniqueKeysWithValues: buffer.segments.map { ($0, buffer.bytes(of: $0)) })
    let restored = try ReplayBuffer.restored(buffer.index) { stored[$0] ?? [] }
    for slot in 0..<min(moments, 2100) {
      #expect(
        buffer.frames.withFrame(at: slot) { $0[0] } == restored.frames.withFrame(at: slot) { $0[0] }, "slot \(slot)")
    }
    var (one, other) = (Random(seed: Seed(4)), Random(seed: Seed(4)))
    #expect(try buffer.draw(20, using: &one).starts == restored.draw(20, using: &other).starts)

    var further = played(moments, capacity: 2100, memory: memory)
    further.append(lane: 0, action: [0].span, step: Step(reward: 0), latent: [0].span, frame: frame(1))
    let changed = further.segments.filter { stored[$0] == nil }.map { ($0.holdsFrames, $0.index) }
    // The buffer records a change where a transition was added and where its successor is.
    let (slot, before) = (moments % 2100, (moments - 1) % 2100)
    #expect(changed.filter(\.0).map(\.1) == [slot / 1024], "\(changed)")
    #expect(Set(changed.filter { !$0.0 }.map(\.1)) == Set([slot / 16_384, before / 16_384]))
  }
}
