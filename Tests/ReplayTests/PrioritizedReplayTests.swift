import Core
import Foundation
import Tensors
import Testing

@testable import Replay

@Suite struct SumTreeTests {
  @Test(arguments: [1, 2, 3, 17, 64, 100]) func leavesAreFoundByTheirOffsets(_ count: Int) {
    var random = Seed(UInt64(count)).stream("weights")
    var (tree, naive) = (SumTree(count: count), [Float](repeating: 0, count: count))
    for _ in 0..<300 {
      let leaf = random.integer(below: count)
      // Small whole numbers: their sums are exact.
      naive[leaf] = random.chance(0.3) ? 0 : Float(1 + random.integer(below: 9))
      tree[leaf] = naive[leaf]
      #expect(tree.leaves == naive && tree.total == naive.reduce(0, +))
      #expect(tree.nonzeroCount == naive.count { $0 > 0 })
    }
    tree[count - 1] = 5
    naive[count - 1] = 5
    var start: Float = 0
    for (leaf, weight) in naive.enumerated() where weight > 0 {
      for offset in [start, start + weight / 2, (start + weight).nextDown] { #expect(tree.leaf(at: offset) == leaf) }
      start += weight
    }
    // With rounding an offset may be at or past the end.
    #expect(tree.leaf(at: tree.total) == count - 1 && tree.leaf(at: 2 * tree.total) == count - 1)
  }

  @Test func aRestoredTreeIsIdentical() throws {
    var random = Seed(1).stream("weights")
    var tree = SumTree(count: 1000)
    for _ in 0..<5000 { tree[random.integer(below: 1000)] = Float(random.uniform()) }
    let stored = try PropertyListEncoder().encode(["tree": tree])
    let again = try #require(try PropertyListDecoder().decode([String: SumTree].self, from: stored)["tree"])
    #expect(again.total.bitPattern == tree.total.bitPattern && again.nonzeroCount == tree.nonzeroCount)
    for _ in 0..<2000 {
      let offset = Float(random.uniform()) * tree.total
      #expect(again.leaf(at: offset) == tree.leaf(at: offset))
    }
    for bad in [Data(), Data(count: 5), Data([0, 0, 0xc0, 0x7f]), Data([0, 0, 0x80, 0xbf])] {
      let stored = try PropertyListEncoder().encode(["tree": bad])
      #expect(throws: DecodingError.self) {
        try PropertyListDecoder().decode([String: SumTree].self, from: stored)
      }
    }
  }
}

@Suite struct PrioritizedReplayTests {
  private let layout = HistoryLayout(latentSize: 1, frames: 3, actions: 1, actionSpace: discrete)

  @Test(arguments: [(1, 40), (3, 96), (2, 400)])
  func drawsTheSameTransitionsAsAUniformBuffer(_ lanes: Int, _ capacity: Int) throws {
    func player(_ isPrioritized: Bool) -> Player {
      Player(capacity: capacity, lanes: lanes, layout: layout, seed: 3, isPrioritized: isPrioritized)
    }
    var uniform = player(false)
    var prioritized = player(true)
    var random = Seed(2).stream("draws")
    for _ in 0..<8 {
      uniform.play(40)
      prioritized.play(40)
      let expected = Set(rows(try uniform.buffer.sample(6000, using: &random)).map { $0.observation[0] })
      let batch = try prioritized.buffer.sample(6000, using: &random)
      #expect(Set(rows(batch).map { $0.observation[0] }) == expected)
      for row in rows(batch) { #expect(row == prioritized.seen[row.observation[0]]) }
      // Priorities change how often transitions are drawn, not which ones.
      prioritized.buffer.prioritize(batch.slots, by: batch.slots.map { _ in Float(random.uniform(0.5, 2)) })
    }
  }

  /// A χ² test of single draws, within four deviations of its mean: one false alarm in 10,000.
  @Test func transitionsAreDrawnInProportionToTheirPriorities() throws {
    var player = Player(capacity: 60, lanes: 2, layout: layout, seed: 4, isPrioritized: true)
    player.play(200)
    var random = Seed(9).stream("draws")
    let all = try player.buffer.sample(3000, using: &random)
    let slots = Array(Set(all.slots)).sorted()
    let weights = slots.indices.map { Float(1 + $0 % 7) }
    player.buffer.prioritize(slots, by: weights)
    let total = Double(weights.reduce(0, +))
    let draws = 30_000
    var counts: [Int: Int] = [:]
    for _ in 0..<draws {
      let one = try player.buffer.sample(1, using: &random)
      counts[one.slots[0], default: 0] += 1
    }
    func deviations(_ expected: [Double]) -> Double {
      let chiSquare = zip(slots, expected).reduce(0) {
        let difference = Double(counts[$1.0] ?? 0) - $1.1
        return $0 + difference * difference / $1.1
      }
      let freedom = Double(slots.count - 1)
      return (chiSquare - freedom) / (2 * freedom).squareRoot()
    }
    #expect(abs(deviations(weights.map { Double(draws) * Double($0) / total })) < 4)
    #expect(
      deviations(weights.map { _ in Double(draws) / Double(slots.count) }) > 100, "the test must reject uniform draws")

    // A batch has one draw from each of equal parts, so every transition with enough priority is in it.
    let batch = try player.buffer.sample(Int(total), using: &random)
    for (slot, weight) in zip(slots, weights) {
      #expect(abs(Float(batch.slots.count { $0 == slot }) - weight) < 2)
    }
    let frequency = try #require(batch.frequency)
    for (slot, found) in zip(batch.slots, frequency.array) {
      let index = try #require(slots.firstIndex(of: slot))
      #expect(abs(Double(found) - Double(slots.count) * Double(weights[index]) / total) < 1e-5)
    }
  }

  @Test func newTransitionsHaveTheHighestPriority() throws {
    var player = Player(capacity: 100, lanes: 1, layout: layout, seed: 4, isPrioritized: true)
    var random = Seed(9).stream("draws")
    player.begin(0)
    for _ in 0..<10 { player.step(0, Step(reward: 0)) }
    let batch = try player.buffer.sample(400, using: &random)
    #expect(Set(batch.slots) == Set(0..<10) && batch.frequency?.array.allSatisfy { abs($0 - 1) < 1e-6 } == true)
    player.buffer.prioritize(Array(0..<10), by: (0..<10).map { Float(0.01 + 0.5 * Double($0)) })
    player.step(0, Step(reward: 0))
    let again = try player.buffer.sample(4000, using: &random)
    let (newest, most) = (again.slots.count { $0 == 10 }, again.slots.count { $0 == 9 })
    #expect(abs(newest - most) < 4 && newest > 500)
    // A slot without a transition is never drawn, even if it gets a priority.
    player.buffer.prioritize([11, 50], by: [100, 100])
    #expect(Set(try player.buffer.sample(4000, using: &random).slots).isSubset(of: Set(0...10)))
  }

  @Test func aRestoredBufferContinuesIdentically() throws {
    var player = Player(capacity: 90, lanes: 3, layout: layout, seed: 6, isPrioritized: true)
    player.play(300)
    var random = Seed(7).stream("draws")
    let batch = try player.buffer.sample(64, using: &random)
    player.buffer.prioritize(batch.slots, by: batch.slots.map { _ in Float(random.uniform(0.1, 3)) })
    let stored = try PropertyListEncoder().encode(player.buffer.index)
    let index = try PropertyListDecoder().decode(ReplayBuffer.Index.self, from: stored)
    let bytes = Dictionary(uniqueKeysWithValues: player.buffer.segments.map { ($0, player.buffer.bytes(of: $0)) })
    let again = try ReplayBuffer.restored(index) { bytes[$0] ?? [] }
    var other = random
    let (expected, found) = (
      try player.buffer.sample(256, steps: 3, discount: 0.9, using: &random),
      try again.sample(256, steps: 3, discount: 0.9, using: &other)
    )
    #expect(found.slots == expected.slots && rows(found) == rows(expected))
    #expect(found.frequency?.array == expected.frequency?.array)
    var uniform = ReplayBuffer(capacity: 90, lanes: 3, layout: layout)
    #expect(throws: InputError.self) { try uniform.restore(index) { bytes[$0] ?? [] } }
  }

  @Test func drawingFromAnEmptyBufferThrows() throws {
    let buffer = ReplayBuffer(capacity: 20, layout: layout, isPrioritized: true)
    var random = Seed(0).stream("draws")
    let message = InputError("the replay buffer holds no transition to learn from: collect some steps first")
    #expect(throws: message) { _ = try sample(buffer, &random) }
  }

  private func sample(_ buffer: borrowing ReplayBuffer, _ random: inout Random) throws -> Batch {
    try buffer.sample(3, using: &random)
  }
}
