import Core
import Tensors
import Testing

@testable import Replay

let continuous = ActionSpace.continuous(low: [-2, 0], high: [2, 1])
let discrete = ActionSpace.discrete(count: 4)

/// A transition as the actor saw it.
struct Seen: Equatable {
  var observation: [Float]
  var action: [Float]
  var reward: Float
  var discount: Float
  var next: [Float]
}

/// Plays random episodes into a buffer and records the observations of `History`. The key of a transition is the first
/// value of its latent, which is unique.
struct Player: ~Copyable {
  var buffer: ReplayBuffer
  let layout: HistoryLayout
  var seen: [Float: Seen] = [:]
  /// The keys of each lane, in order.
  var order: [[Float]]
  private var histories: [History]
  private var random: Random
  private var latents = 0

  init(capacity: Int, lanes: Int, layout: HistoryLayout, seed: UInt64, isPrioritized: Bool = false) {
    self.layout = layout
    buffer = ReplayBuffer(capacity: capacity, lanes: lanes, layout: layout, isPrioritized: isPrioritized)
    histories = (0..<lanes).map { _ in History(layout) }
    order = [[Float]](repeating: [], count: lanes)
    random = Seed(seed).stream("episodes")
  }

  private mutating func latent() -> [Float] {
    latents += 1
    return [Float(latents)] + (1..<layout.latentSize).map { _ in Float(random.normal()) }
  }

  func observation(_ lane: Int) -> [Float] {
    Tensor([layout.observationSize], of: Float.self) { histories[lane].write(into: &$0, at: 0) }.array
  }

  mutating func begin(_ lane: Int) {
    let first = latent()
    histories[lane].begin(with: first.span)
    buffer.begin(lane: lane, latent: first.span)
  }

  mutating func step(_ lane: Int, _ step: Step) {
    let before = observation(lane)
    let drawn = layout.actionSpace.sample(using: &random)
    let action = layout.actionSpace.normalized(drawn)
    let next = latent()
    histories[lane].append(action: action.span, latent: next.span)
    buffer.append(lane: lane, action: action.span, step: step, latent: next.span)
    seen[before[0]] = Seen(
      observation: before, action: action, reward: Float(step.reward), discount: Float(step.discount),
      next: observation(lane))
    order[lane].append(before[0])
  }

  /// Plays episodes in random lanes. They terminate, are truncated, or are interrupted by a new episode.
  mutating func play(_ steps: Int) {
    var running = [Bool](repeating: false, count: order.count)
    for _ in 0..<steps {
      let lane = random.integer(below: order.count)
      if !running[lane] || random.chance(0.05) { begin(lane) }
      let reward = random.normal()
      let outcome =
        switch random.integer(below: 8) {
        case 0: Step(reward: reward, discount: 0, ending: .terminated)
        case 1: Step(reward: reward, ending: .truncated)
        default: Step(reward: reward)
        }
      step(lane, outcome)
      running[lane] = outcome.ending == .running
    }
  }
}

private func rows(_ rollout: Rollout) -> [Seen] {
  rows(
    Batch(
      observation: rollout.observation, action: rollout.action, reward: rollout.reward, discount: rollout.discount,
      nextObservation: rollout.nextObservation))
}

func rows(_ batch: Batch) -> [Seen] {
  func row(_ tensor: Tensor, _ b: Int) -> [Float] { tensor.rows(b..<b + 1).array }
  return (0..<batch.reward.shape[0]).map { b in
    Seen(
      observation: row(batch.observation, b), action: row(batch.action, b), reward: row(batch.reward, b)[0],
      discount: row(batch.discount, b)[0], next: row(batch.nextObservation, b))
  }
}

@Suite struct ReplayTests {
  /// Frames, actions, lanes, capacity: with and without wrapping of the ring.
  static let shapes = [(3, 2, 1, 64), (1, 0, 1, 40), (2, 4, 3, 96), (5, 1, 2, 1000), (4, 0, 4, 100)]

  /// Every transition is in exactly one rollout, in order. With whole episodes, running episodes are left for later.
  @Test(arguments: [1, 3], [false, true])
  func rolloutsContainEveryTransitionOnce(_ lanes: Int, _ wholeEpisodes: Bool) throws {
    let layout = HistoryLayout(latentSize: 3, frames: 3, actions: 2, actionSpace: continuous)
    var player = Player(capacity: 200 * lanes, lanes: lanes, layout: layout, seed: 5)
    var random = Seed(2).stream("unused")
    // Earlier transitions are not part of any rollout.
    player.play(10)
    for lane in 0..<lanes { player.begin(lane) }
    var schedule = UpdateSchedule(updatesPerStep: 1, returnSteps: 5)
    schedule.begin(at: player.buffer)
    var expected = player.order.map(\.count)
    let demand = Rollout.Demand(horizon: 20, wholeEpisodes: wholeEpisodes)
    var rollouts = 0
    for _ in 0..<400 {
      player.play(2)
      guard let rollout = try Rollout.next(demand, from: player.buffer, &schedule, using: &random) else { continue }
      rollouts += 1
      #expect(rollout.count >= 20 * lanes)
      let found = rows(rollout)
      for lane in 0..<lanes {
        let own = found.indices.filter { rollout.lane[$0] == lane }
        let keys = player.order[lane][expected[lane]..<expected[lane] + own.count]
        expected[lane] += own.count
        #expect(keys.map { player.seen[$0] } == own.map { found[$0] })
        if !wholeEpisodes { #expect(expected[lane] == player.order[lane].count) }
      }
      #expect(rollout.lane == rollout.lane.sorted() && rollout.stretches.map(\.count).reduce(0, +) == rollout.count)
      for (row, isLast) in rollout.isLast.enumerated() {
        let continues = row + 1 < rollout.count && found[row].next == found[row + 1].observation
        #expect(isLast == !continues)
      }
    }
    #expect(rollouts > 5)
  }

  @Test func aRolloutThatWasOverwrittenIsAnError() throws {
    let layout = HistoryLayout(latentSize: 3, frames: 2, actions: 0, actionSpace: continuous)
    var player = Player(capacity: 20, lanes: 1, layout: layout, seed: 5)
    var random = Seed(2).stream("unused")
    player.begin(0)
    var schedule = UpdateSchedule(updatesPerStep: 1, returnSteps: 1)
    schedule.begin(at: player.buffer)
    for _ in 0..<40 { player.step(0, Step(reward: 1)) }
    #expect(throws: InputError.self) {
      try Rollout.next(.init(horizon: 40), from: player.buffer, &schedule, using: &random)
    }
    let validate = {
      try Rollout.validate(.init(horizon: $0), replay: 20, lanes: 1, layout: layout, episodeSteps: 1000)
    }
    try validate(8)
    let error = #expect(throws: InputError.self) { try validate(9) }
    #expect(error?.description.contains("use --replay 22 or more") == true)
  }

  /// A buffer of the least size holds whole episodes until the next update, whatever their lengths.
  @Test(arguments: [1, 2, 5], [3, 30]) func theLeastBufferHoldsWholeEpisodes(_ lanes: Int, _ longest: Int) throws {
    let layout = HistoryLayout(latentSize: 1, frames: 2, actions: 1, actionSpace: discrete)
    let demand = Rollout.Demand(horizon: 7, wholeEpisodes: true)
    func validate(_ replay: Int) throws {
      try Rollout.validate(demand, replay: replay, lanes: lanes, layout: layout, episodeSteps: longest)
    }
    // 14 for the horizon, an episode (in several lanes two) with its first latent, and the reach of 1 with 3 more.
    let least = lanes * (14 + (lanes == 1 ? 1 : 2) * (longest + 1) + 4)
    try validate(least)
    let error = #expect(throws: InputError.self) { try validate(least - 1) }
    #expect(error?.description.contains("episodes of up to \(longest) steps") == true)
    #expect(error?.description.hasSuffix("use --replay \(least) or more") == true)

    var player = Player(capacity: least, lanes: lanes, layout: layout, seed: 7)
    var random = Seed(3).stream("lengths")
    var left = [Int](repeating: 0, count: lanes)
    for lane in 0..<lanes { player.begin(lane) }
    for lane in 0..<lanes { left[lane] = 1 + random.integer(below: longest) }
    var schedule = UpdateSchedule(updatesPerStep: 1, returnSteps: 1)
    schedule.begin(at: player.buffer)
    var learned = 0
    for _ in 0..<2000 {
      for lane in 0..<lanes {
        left[lane] -= 1
        player.step(lane, Step(reward: 1, ending: left[lane] == 0 ? .truncated : .running))
        guard left[lane] == 0 else { continue }
        player.begin(lane)
        // Mostly the longest and the shortest episodes.
        left[lane] = random.chance(0.2) ? 1 + random.integer(below: longest) : random.chance(0.5) ? 1 : longest
      }
      let rollout = try Rollout.next(demand, from: player.buffer, &schedule, using: &random)
      learned += rollout?.count ?? 0
    }
    #expect(learned > 1900 * lanes)
  }

  /// A reset in mid-episode: the transitions before it are not the new agent's own.
  @Test(arguments: [false, true]) func noRolloutGoesBackBeforeAReset(_ wholeEpisodes: Bool) throws {
    let layout = HistoryLayout(latentSize: 3, frames: 3, actions: 2, actionSpace: continuous)
    var player = Player(capacity: 400, lanes: 2, layout: layout, seed: 5)
    var random = Seed(2).stream("unused")
    for lane in 0..<2 {
      player.begin(lane)
      for _ in 0..<20 { player.step(lane, Step(reward: 1)) }
    }
    let before = Set(player.order.joined())
    var schedule = UpdateSchedule(updatesPerStep: 1, returnSteps: 1)
    schedule.begin(at: player.buffer)
    let demand = Rollout.Demand(horizon: 2, wholeEpisodes: wholeEpisodes)
    var (starts, learned) = (schedule.starts, 0)
    for t in 0..<40 {
      // The episode of lane 0 goes on until step 30. Those of lane 1 have five steps.
      player.step(0, Step(reward: 1, ending: t == 30 ? .truncated : .running))
      if t == 30 { player.begin(0) }
      player.step(1, Step(reward: 1, ending: t % 5 == 4 ? .truncated : .running))
      if t % 5 == 4 { player.begin(1) }
      let rollout = try Rollout.next(demand, from: player.buffer, &schedule, using: &random)
      #expect(zip(schedule.starts, starts).allSatisfy { $0 >= $1 })
      starts = schedule.starts
      guard let rollout else { continue }
      learned += rollout.count
      // The first number of an observation is the key of its transition.
      #expect(before.isDisjoint(with: rows(rollout).map { $0.observation[0] }))
    }
    // All 40 of each lane, or those of episodes that have ended.
    #expect(learned == (wholeEpisodes ? 31 + 40 : 80))
  }

  @Test(arguments: shapes, [continuous, discrete])
  func samplesEqualWhatTheActorSaw(_ shape: (Int, Int, Int, Int), _ space: ActionSpace) throws {
    let (frames, actions, lanes, capacity) = shape
    let layout = HistoryLayout(latentSize: 3, frames: frames, actions: actions, actionSpace: space)
    var player = Player(capacity: capacity, lanes: lanes, layout: layout, seed: UInt64(capacity))
    var random = Seed(2).stream("draws")
    var drawn = Set<Float>()
    for _ in 0..<20 {
      player.play(30)
      let batch = try player.buffer.sample(64, using: &random)
      #expect(batch.observation.shape == [64, layout.observationSize])
      #expect(batch.action.shape == [64, space.arrayCount])
      for row in rows(batch) {
        #expect(row == player.seen[row.observation[0]])
        drawn.insert(row.observation[0])
      }
    }
    #expect(drawn.count > capacity / 4)
  }

  /// The moments inside a transition are those that the actor saw, with the weights of their rewards.
  @Test(arguments: shapes, [2, 5])
  func momentsInsideTransitionsEqualWhatTheActorSaw(_ shape: (Int, Int, Int, Int), _ steps: Int) throws {
    let (frames, actions, lanes, capacity) = shape
    let layout = HistoryLayout(latentSize: 3, frames: frames, actions: actions, actionSpace: continuous)
    var player = Player(capacity: capacity, lanes: lanes, layout: layout, seed: UInt64(capacity))
    var random = Seed(2).stream("draws")
    var lengths = Set<Int>()
    for _ in 0..<10 {
      player.play(30)
      let batch = try player.buffer.sample(64, steps: steps, discount: 0.9, includesIntermediate: true, using: &random)
      let between = try #require(batch.between)
      #expect(between.observation.shape == [(steps - 1) * 64, layout.observationSize])
      let weights = between.weight.array
      for (b, row) in rows(batch).enumerated() {
        guard var at = player.seen[row.observation[0]] else {
          Issue.record("a transition was drawn that was never played")
          continue
        }
        var (weight, reward, isOver) = (Float(1), at.reward, false)
        for k in 1..<steps {
          let index = (k - 1) * 64 + b
          let next = player.seen[at.next[0]].flatMap { $0.observation == at.next ? $0 : nil }
          weight *= 0.9 * at.discount
          isOver = isOver || next == nil || at.discount == 0
          #expect(abs(weights[index] - (isOver ? 0 : weight)) < 1e-6)
          guard !isOver, let next else { continue }
          #expect(between.observation.rows(index..<index + 1).array == next.observation)
          reward += weight * next.reward
          at = next
        }
        #expect(abs(reward - row.reward) < 1e-5)
        lengths.insert((1..<steps).count { weights[($0 - 1) * 64 + b] > 0 })
      }
    }
    #expect(lengths.contains(0) && lengths.contains(steps - 1))
    let (withoutBetween, singleSteps) = (
      try player.buffer.sample(4, steps: steps, using: &random),
      try player.buffer.sample(4, includesIntermediate: true, using: &random)
    )
    #expect(withoutBetween.between == nil && singleSteps.between == nil)
  }

  /// A transition of several steps equals the sum of its single steps, up to the end of the episode or the newest
  /// latent.
  @Test(arguments: shapes, [2, 5])
  func stepsAreSummedUpToTheEndOfTheEpisode(_ shape: (Int, Int, Int, Int), _ steps: Int) throws {
    let (frames, actions, lanes, capacity) = shape
    let layout = HistoryLayout(latentSize: 3, frames: frames, actions: actions, actionSpace: continuous)
    var player = Player(capacity: capacity, lanes: lanes, layout: layout, seed: UInt64(capacity))
    var random = Seed(2).stream("draws")
    let agentDiscount: Float = 0.9
    var lengths = Set<Int>()
    for _ in 0..<10 {
      player.play(30)
      for row in rows(
        try player.buffer.sample(64, steps: steps, discount: Double(agentDiscount), using: &random))
      {
        guard var at = player.seen[row.observation[0]] else {
          Issue.record("a transition was drawn that was never played")
          continue
        }
        var (length, factor, expected) = (1, agentDiscount * at.discount, at)
        // Adds the successor's transition, if it has one. Latents are unique.
        while length < steps, let next = player.seen[at.next[0]], next.observation == at.next {
          expected.reward += factor * next.reward
          expected.discount = factor * next.discount
          expected.next = next.next
          factor *= agentDiscount * next.discount
          at = next
          length += 1
        }
        lengths.insert(length)
        #expect(row.observation == expected.observation && row.action == expected.action)
        #expect(row.next == expected.next)
        #expect(abs(row.reward - expected.reward) < 1e-5 && abs(row.discount - expected.discount) < 1e-6)
      }
    }
    #expect(lengths == Set(1...steps))
  }

  @Test func anEpisodeStartsWithoutHistory() {
    let layout = HistoryLayout(latentSize: 2, frames: 3, actions: 2, actionSpace: discrete)
    var history = History(layout)
    history.begin(with: [9, 9].span)
    history.append(action: [3].span, latent: [8, 8].span)
    history.begin(with: [1, 2].span)
    func observation() -> [Float] {
      Tensor([layout.observationSize], of: Float.self) { history.write(into: &$0, at: 0) }.array
    }
    #expect(observation() == [1, 2] + [0, 0] + [0, 0] + [0, 0, 0, 0] + [0, 0, 0, 0])
    history.append(action: [2].span, latent: [1.5, 2].span)
    #expect(observation() == [1.5, 2] + [1, 0] + [0, 0] + [0, 0, 1, 0] + [0, 0, 0, 0])
    history.append(action: [0].span, latent: [2.5, 1].span)
    #expect(observation() == [2.5, 1] + [2, -2] + [1, 0] + [1, 0, 0, 0] + [0, 0, 1, 0])
  }

  @Test func onlyTerminationStopsBootstrapping() throws {
    let layout = HistoryLayout(latentSize: 1, frames: 1, actions: 0, actionSpace: discrete)
    var buffer = ReplayBuffer(capacity: 20, layout: layout)
    buffer.begin(lane: 0, latent: [1].span)
    buffer.append(lane: 0, action: [0].span, step: Step(reward: 1, ending: .truncated), latent: [2].span)
    buffer.begin(lane: 0, latent: [10].span)
    buffer.append(
      lane: 0, action: [0].span, step: Step(reward: 1, discount: 0, ending: .terminated), latent: [11].span)
    buffer.begin(lane: 0, latent: [100].span)
    buffer.append(lane: 0, action: [0].span, step: Step(reward: 1), latent: [101].span)
    var random = Seed(0).stream("draws")
    for row in rows(try buffer.sample(200, using: &random)) {
      // The true successor was stored before the restart.
      #expect(row.next == [row.observation[0] + 1])
      #expect(row.discount == (row.observation == [10] ? 0 : 1))
    }
  }

  @Test func transitionsAreDrawnUniformly() throws {
    let layout = HistoryLayout(latentSize: 1, frames: 3, actions: 1, actionSpace: continuous)
    var player = Player(capacity: 90, lanes: 3, layout: layout, seed: 5)
    // One lane has wrapped, one has many moments, one few.
    player.begin(0)
    for i in 0..<75 {
      player.step(0, Step(reward: 0, ending: i % 10 == 9 ? .truncated : .running))
      if i % 10 == 9 { player.begin(0) }
    }
    player.begin(1)
    for _ in 0..<20 { player.step(1, Step(reward: 0)) }
    player.begin(2)
    for _ in 0..<3 { player.step(2, Step(reward: 0)) }

    var counts: [Float: Int] = [:]
    var random = Seed(3).stream("draws")
    let draws = 20_000
    for _ in 0..<20 {
      for row in rows(try player.buffer.sample(draws / 20, using: &random)) {
        counts[row.observation[0], default: 0] += 1
      }
    }
    // All of the short lanes; of the full one, those whose history is still in the buffer.
    #expect(Set(player.order[1] + player.order[2]).isSubset(of: counts.keys))
    // 83 latents were written. The oldest two of the 30 that are left have lost a part of their history.
    let kept = player.order[0].filter { counts[$0] != nil }
    #expect(kept == player.order[0].suffix(kept.count) && (24...26).contains(kept.count))
    let expected = Double(draws) / Double(counts.count)
    let chiSquare = counts.values.reduce(0) { $0 + (Double($1) - expected) * (Double($1) - expected) / expected }
    // Mean k - 1, deviation √(2 (k - 1)): four deviations.
    let freedom = Double(counts.count - 1)
    #expect(abs(chiSquare - freedom) < 4 * (2 * freedom).squareRoot())
  }

  @Test func slotsWithoutTheirHistoryAreNeverDrawn() throws {
    let layout = HistoryLayout(latentSize: 1, frames: 4, actions: 2, actionSpace: discrete)
    var player = Player(capacity: 12, lanes: 1, layout: layout, seed: 1)
    player.begin(0)
    var random = Seed(3).stream("draws")
    for written in 2...60 {
      player.step(0, Step(reward: 0))
      let drawn = Set(rows(try player.buffer.sample(200, using: &random)).map { $0.observation[0] })
      // Latents are numbered from 1. Of the 12 that are kept, the oldest 3 have no history and the newest no
      // transition.
      let oldest = written <= 12 ? 1 : written - 12 + 1 + 3
      #expect(drawn == Set((oldest..<written).map { Float($0) }))
    }
  }

  /// The memory of a million moments, and the actual size of a full buffer.
  @Test func aMillionMomentsFit() throws {
    let layout = HistoryLayout(
      latentSize: 32, frames: 3, actions: 2, actionSpace: .continuous(low: [-1], high: [1]))
    func bytes(_ memory: ReplayMemory) -> Int { 1_000_000 * memory.byteCount(layout) }
    #expect(bytes(.latents) <= 250_000_000)
    #expect(bytes(.frames(of: 64 * 64 * 3)) <= 12_500_000_000)
    #expect(bytes(.frames(of: 84 * 84)) <= 7_200_000_000)

    for memory in [ReplayMemory.latents, .frames(of: 12), .latentsAndFrames(of: 12)] {
      var buffer = ReplayBuffer(capacity: 300, layout: layout, memory: memory)
      let (latent, frame) = ([Float](repeating: 1, count: 32), [UInt8](repeating: 7, count: 12))
      buffer.begin(lane: 0, latent: latent.span, frame: frame)
      for _ in 0..<400 {
        buffer.append(lane: 0, action: [0.5].span, step: Step(reward: 1), latent: latent.span, frame: frame)
      }
      #expect(buffer.count == 300)
      #expect(buffer.segments.reduce(0) { $0 + buffer.bytes(of: $1).count } == 300 * memory.byteCount(layout))
    }
  }

  @Test func drawingWithoutTransitionsThrows() throws {
    let layout = HistoryLayout(latentSize: 1, frames: 1, actions: 0, actionSpace: discrete)
    let message = InputError("the replay buffer holds no transition to learn from: collect some steps first")
    var buffer = ReplayBuffer(capacity: 20, lanes: 2, layout: layout)
    var random = Seed(0).stream("draws")
    #expect(throws: message) { _ = try sample(buffer) }
    for _ in 0..<4 { buffer.begin(lane: 1, latent: [1].span) }
    #expect(throws: message) { _ = try sample(buffer) }
    buffer.append(lane: 1, action: [2].span, step: Step(reward: 7), latent: [2].span)
    #expect(try buffer.sample(3, using: &random).reward.array == [7, 7, 7])
    #expect(buffer.count == 5)
  }

  @Test(arguments: [5, 30]) func latentsAreReplacedInPlace(_ written: Int) throws {
    let layout = HistoryLayout(latentSize: 2, frames: 2, actions: 1, actionSpace: continuous)
    func buffer(_ latent: (Int) -> [Float]) -> ReplayBuffer {
      var buffer = ReplayBuffer(capacity: 24, lanes: 2, layout: layout)
      buffer.begin(lane: 1, latent: latent(0).span)
      for i in 1..<written {
        let step = Step(reward: Double(i), ending: i % 4 == 0 ? .truncated : .running)
        buffer.append(lane: 1, action: [Float(i), 0].span, step: step, latent: latent(i).span)
        if i % 4 == 0 { buffer.begin(lane: 1, latent: latent(-i).span) }
      }
      return buffer
    }
    func other(_ i: Int) -> [Float] { [Float(i) * 0.5 + 3, Float(i * i)] }
    var replaced = buffer { [Float($0), 1] }
    // A lane has 12 slots. Overwritten moments are not replaced.
    let order = ([0] + (1..<written).flatMap { $0 % 4 == 0 ? [$0, -$0] : [$0] }).suffix(12)
    replaced.replaceLatents(lane: 1, with: Tensor(order.flatMap(other), [order.count, 2]))
    replaced.replaceLatents(lane: 0, with: .zeros([0, 2]))
    let fresh = buffer(other)
    var (one, two) = (Seed(1).stream("draws"), Seed(1).stream("draws"))
    #expect(try rows(replaced.sample(100, using: &one)) == rows(fresh.sample(100, using: &two)))
  }

  private func sample(_ buffer: borrowing ReplayBuffer) throws -> Batch {
    var random = Seed(0).stream("draws")
    return try buffer.sample(3, using: &random)
  }
}
