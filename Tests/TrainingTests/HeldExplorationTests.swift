import Core
import Testing

@testable import Training

@Suite struct HeldExplorationTests {
  private let box = ActionSpace.continuous(low: [-2, 0], high: [2, 1])

  /// Runs of the same action; the action is nil if the agent acts.
  private func runs(_ chance: Double, limit: Int, steps: Int) -> [(action: [Float]?, length: Int)] {
    var exploration = RepeatedActionExploration(chance: chance, limit: limit, random: Seed(1).stream("exploration"))
    var runs: [(action: [Float]?, length: Int)] = []
    for _ in 0..<steps {
      let action = exploration.act(in: box)
      if let last = runs.last, last.action == action {
        runs[runs.count - 1].length += 1
      } else {
        runs.append((action, 1))
      }
    }
    return runs
  }

  @Test func extremeActionsAreHeldUpToTheLimit() {
    let held = runs(0.01, limit: 5, steps: 20_000).filter { $0.action != nil }
    #expect(Set(held.map(\.action)) == [[-1, -1], [-1, 1], [1, -1], [1, 1]])
    // One hold in a hundred starts right after another, and one in four of these has the same action.
    #expect(Set(held.map(\.length).filter { $0 <= 5 }) == [1, 2, 3, 4, 5])
    #expect(held.filter { $0.length > 5 }.count < held.count / 20)
    // 1 in 100 free steps starts a hold of 3 steps on average.
    let steps = held.reduce(0) { $0 + $1.length }
    #expect(abs(Double(steps) / 20_000 - 0.03 / 1.02) < 0.008)
  }

  @Test func withChanceZeroOnlyTheAgentActs() { #expect(runs(0, limit: 5, steps: 1000).map(\.action) == [nil]) }

  @Test func anEpisodeBeginsWithNothingHeld() {
    var exploration = RepeatedActionExploration(chance: 0.5, limit: 1000, random: Seed(1).stream("exploration"))
    var holdsAtOnce = 0
    for _ in 0..<1000 {
      exploration.begin()
      if exploration.act(in: box) != nil { holdsAtOnce += 1 }
    }
    #expect(abs(holdsAtOnce - 500) < 70)
  }

  @Test func allDiscreteActionsAreDrawn() {
    var exploration = RepeatedActionExploration(chance: 1, limit: 3, random: Seed(1).stream("exploration"))
    let drawn = (0..<300).map { _ in exploration.act(in: .discrete(count: 4)) }
    #expect(Set(drawn) == [[0], [1], [2], [3]])
  }
}
