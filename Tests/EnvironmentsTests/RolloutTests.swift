import Core
import Foundation
import Testing

@testable import Environments

@Suite struct RolloutTests {
  @Test func linesAreJSONWithoutLossOfPrecision() throws {
    struct Line: Decodable, Equatable {
      let step: Int
      let state: [Double]
      let reward: Double
      let discount: Double
      let ending: String
    }
    let lines = try CartPoleSwingup().rollout(from: [0.1, 3, -1e-7, 0.5], actions: [[0.3], [-1], [1]])
    #expect(lines.count == 4)
    #expect(lines[0].state == [0.1, 3, -1e-7, 0.5] && lines[0].reward == 0 && lines[0].ending == .running)
    for (number, line) in lines.enumerated() {
      let read = try JSONDecoder().decode(Line.self, from: Data(line.json.utf8))
      let same = Line(
        step: number, state: line.state, reward: line.reward, discount: line.discount, ending: line.ending.rawValue)
      #expect(read == same)
      #expect(!line.json.contains("\n"))
    }
  }

  @Test func nonFiniteNumbersAreNull() throws {
    let line = TrajectoryStep(
      step: 1, state: [.nan, -.nan, .infinity, 2], reward: -.nan, discount: 1, ending: .running)
    #expect(
      line.json
        == #"{"step": 1, "state": [null, null, null, 2.0], "reward": null, "discount": 1.0, "ending": "running"}"#)
  }

  @Test func endsWithTheEpisode() throws {
    let lines = try PendulumSwingup().rollout(actions: Array(repeating: [0.5], count: 1200))
    #expect(lines.count == 1001)
    #expect(lines[999].ending == .running)
    #expect(lines[1000].ending == .truncated && lines[1000].discount == 1)
  }

  @Test func startStatesDependOnTheSeed() throws {
    let starts = try [1, 1, 2].map { try PendulumSwingup().rollout(actions: [], seed: Seed($0))[0].state }
    #expect(starts[0] == starts[1] && starts[0] != starts[2])
  }

  @Test func errorsSayWhatIsWrong() {
    #expect(throws: InputError("action 2: an action has 1 value, not 2")) {
      try CartPoleSwingup().rollout(actions: [[0], [1], [0, 0]])
    }
    #expect(throws: InputError("action 0: a discrete action is a whole number from 0 to 2, not 3.0")) {
      try Catch().rollout(actions: [[3]])
    }
    #expect(throws: InputError("a state of pendulum-swingup has 2 numbers (angle, angle-velocity), not 3")) {
      try PendulumSwingup().rollout(from: [0, 0, 0], actions: [])
    }
    #expect(throws: InputError("the ball-row of catch must be a whole number from 0 to 9, not 10.0")) {
      try Catch().rollout(from: [0, 10, 0], actions: [])
    }
    #expect(throws: InputError.self) { try CartPoleBalance().rollout(from: [0, .infinity, 0, 0], actions: []) }
  }

  /// In dm_control, the same policy has a return of 124 with a standard error of 12 (30 episodes).
  @Test func theRandomReturnMatchesTheSuite() {
    let mean = CartPoleSwingup().randomReturn(episodes: 30, seed: Seed(0))
    #expect(abs(mean - 124) < 50)
    #expect(mean == CartPoleSwingup().randomReturn(episodes: 30, seed: Seed(0)))
  }
}
