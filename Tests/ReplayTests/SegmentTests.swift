import Core
import Tensors
import Testing

@testable import Replay

@Suite struct SegmentTests {
  /// Latents count up from 0 in each lane, a reward is the latent it was given at, an action half of that. Episodes of
  /// lane 0 are truncated after four steps, those of lane 1 terminate after three.
  private func buffer(steps: Int, capacity: Int = 200) -> ReplayBuffer {
    let layout = HistoryLayout(
      latentSize: 1, frames: 1, actions: 0, actionSpace: .continuous(low: [-1000], high: [1000]), differenceScale: 1)
    var buffer = ReplayBuffer(capacity: capacity, lanes: 2, layout: layout)
    for lane in 0..<2 {
      let length = [4, 3][lane]
      var value: Float = 0
      for step in 0..<steps {
        if step % length == 0 {
          buffer.begin(lane: lane, latent: [value].span)
          value += 1
        }
        let ending: Ending = step % length < length - 1 ? .running : lane == 0 ? .truncated : .terminated
        buffer.append(
          lane: lane, action: [(value - 1) / 2].span,
          step: Step(reward: Double(value - 1), discount: ending == .terminated ? 0 : 1, ending: ending),
          latent: [value].span)
        value += 1
      }
    }
    return buffer
  }

  @Test func stepsStayInTheirEpisode() {
    let buffer = buffer(steps: 12)
    let starts = [(0, 0), (0, 2), (0, 3), (1, 1), (1, 2)].map { ReplayBuffer.Moment(lane: $0.0, position: $0.1) }
    let steps = buffer.steps(from: starts, count: 3)
    #expect(steps.map(\.isPresent.array) == [[1, 1, 1, 1, 1], [1, 1, 0, 1, 0], [1, 0, 0, 0, 0]])
    #expect(steps[0].reward.array == [0, 2, 3, 1, 2] && steps[0].nextObservation.array == [1, 3, 4, 2, 3])
    #expect(steps[1].action.array[0] == 0.5 && steps[1].nextObservation.array[0] == 2)
    #expect(steps[2].reward.array[0] == 2 && steps[2].nextObservation.shape == [5, 1])
    // Lane 1 terminates with the step from its third moment, lane 0 never.
    #expect(steps[0].discount.array == [1, 1, 1, 1, 0] && steps[1].discount.array[3] == 0)
  }

  @Test func nothingFollowsTheNewestMomentOfAFullBuffer() throws {
    // The slot after the newest one holds the oldest moment, which starts a transition.
    let buffer = buffer(steps: 50, capacity: 30)
    let newest = try #require(buffer.positions(of: 0).last)
    let steps = buffer.steps(from: [ReplayBuffer.Moment(lane: 0, position: newest - 1)], count: 3)
    #expect(steps.map(\.isPresent.array) == [[1], [0], [0]])
  }

  @Test func aDrawHasTheTransitionAndItsSteps() throws {
    let buffer = buffer(steps: 12)
    var (schedule, random) = (UpdateSchedule(updatesPerStep: 1, returnSteps: 2), Seed(1).stream("draws"))
    var demand = Segments.Demand(batch: Batch.Demand(count: 64, discount: 0.5), horizon: 4)
    func next() throws -> Segments? {
      try Segments.next(demand, from: buffer, &schedule, using: &random) { $0.batch(of: $1) }
    }
    #expect(try next() == nil, "no update is due")
    schedule.owe()
    let segments = try #require(try next())
    #expect(segments.steps.count == 4 && segments.slots.count == 64)
    let (first, second) = (segments.steps[0], segments.steps[1])
    #expect(first.action.array == segments.transition.action.array)
    let (r0, d0, r1, m) = (first.reward.array, first.discount.array, second.reward.array, second.isPresent.array)
    let expected = r0.indices.map { r0[$0] + 0.5 * d0[$0] * m[$0] * r1[$0] }
    #expect(segments.transition.reward.array == expected)
    #expect(m.contains(0) && m.contains(1))
    #expect(segments.meanAbsoluteReward == nil)
    (demand.horizon, demand.includesMeanReward) = (0, true)
    schedule.owe()
    let transitions = try #require(try next())
    #expect(transitions.steps.isEmpty && transitions.meanAbsoluteReward == buffer.meanAbsoluteReward)
  }

  @Test func theMeanAbsoluteRewardIsOfAllTransitions() {
    let rewards = [4, 3].flatMap { length in (0..<12).map { Double($0 + $0 / length) } }
    #expect(abs(buffer(steps: 12).meanAbsoluteReward - rewards.reduce(0, +) / 24) < 1e-9)
    #expect(buffer(steps: 0).meanAbsoluteReward == 0)
  }
}
