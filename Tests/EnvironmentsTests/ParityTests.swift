import Core
import Foundation
import Testing

@testable import Environments

/// Golden trajectories of dm_control, written by `experiments/checks/parity/make_golden.py`.
struct Golden: Decodable, Sendable, CustomTestStringConvertible {
  let environment: String
  let `case`: String
  let actions: [Double]
  let states: [[Double]]
  let rewards: [Double]

  var testDescription: String { "\(environment): \(`case`)" }

  static let all: [Golden] = {
    guard let url = Bundle.module.url(forResource: "Golden/dm_control", withExtension: "json"),
      let data = try? Data(contentsOf: url), let cases = try? JSONDecoder().decode([Golden].self, from: data)
    else { return [] }
    return cases
  }()
}

@Suite struct ParityTests {
  @Test func poleInertiaEqualsTheCompiledModel() {
    #expect(abs(CartPole.poleInertia - 0.0344245927672956) < 1e-15)
  }

  @Test func goldenFilesCoverEveryControlTask() {
    let tasks = Set(Golden.all.map(\.environment))
    #expect(
      tasks == [
        "cartpole-swingup", "cartpole-balance", "cartpole-balance-sparse", "cartpole-swingup-sparse",
        "pendulum-swingup",
      ])
  }

  @Test(arguments: Golden.all)
  func statesAndRewardsEqualTheSuite(_ golden: Golden) throws {
    func check<E: BuiltInEnvironment>(_ type: E.Type) {
      var environment = E()
      environment.state = golden.states[0]
      var worst = 0.0
      for (index, action) in golden.actions.enumerated() {
        let step = environment.step([action])
        let expected = golden.states[index + 1] + [golden.rewards[index]]
        for (ours, theirs) in zip(environment.state + [step.reward], expected) {
          worst = max(worst, abs(ours - theirs))
        }
      }
      #expect(worst < 1e-10, "largest difference from dm_control")
    }
    check(try Member(id: golden.environment).type)
  }
}
