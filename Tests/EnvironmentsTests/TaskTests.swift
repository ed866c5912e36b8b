import Core
import Foundation
import Testing

@testable import Environments

/// Properties of single tasks that the contract tests do not cover.
@Suite struct TaskTests {
  @Test func toleranceIsOneInsideAndDecreasesOverTheMargin() {
    #expect(tolerance(0.2, -0.25...0.25) == 1)
    #expect(tolerance(0.3, -0.25...0.25) == 0)
    #expect(abs(tolerance(2, margin: 2) - 0.1) < 1e-15)
    #expect(abs(tolerance(-3, -1...4, margin: 2) - 0.1) < 1e-15)
    #expect(abs(tolerance(0.5, margin: 1, sigmoid: .quadratic, valueAtMargin: 0) - 0.75) < 1e-15)
    #expect(tolerance(7, margin: 1, sigmoid: .quadratic, valueAtMargin: 0) == 0)
  }

  @Test func startStatesMatchTheSuite() {
    var random = Random(seed: Seed(0))
    var (swingup, sparse, balance) = (CartPoleSwingup(), CartPoleSwingupSparse(), CartPoleBalance())
    var pendulum = PendulumSwingup()
    var angles: [Double] = []
    for _ in 0..<200 {
      swingup.reset(using: &random)
      sparse.reset(using: &random)
      balance.reset(using: &random)
      pendulum.reset(using: &random)
      for state in [swingup.state, sparse.state] {
        #expect(abs(state[0]) < 0.06 && abs(state[1] - .pi) < 0.06 && abs(state[2]) < 0.06 && abs(state[3]) < 0.06)
      }
      #expect(abs(balance.state[0]) <= 0.1 && abs(balance.state[1]) <= 0.034)
      #expect(abs(balance.state[2]) < 0.06 && abs(balance.state[3]) < 0.06)
      #expect(pendulum.state[1] == 0)
      angles.append(pendulum.state[0])
    }
    #expect(angles.contains { $0 > 2 } && angles.contains { $0 < -2 } && angles.allSatisfy { abs($0) <= .pi })
  }

  @Test func theStopsHoldTheCart() {
    var environment = CartPoleSwingup()
    for _ in 0..<1000 { _ = environment.step([1]) }
    #expect(environment.state[0] > 1.8 && environment.state[0] < 2)
    for _ in 0..<1000 { _ = environment.step([-1]) }
    #expect(environment.state[0] < -1.8 && environment.state[0] > -2)
  }

  /// Without force, the Runge-Kutta steps conserve the energy, except for the small friction.
  @Test func aFreeSwingConservesEnergy() {
    func energy(_ s: [Double]) -> Double {
      let ml = CartPole.poleMass * CartPole.poleLength / 2
      let kinetic =
        (CartPole.cartMass + CartPole.poleMass) * s[2] * s[2] / 2 + CartPole.poleInertia * s[3] * s[3] / 2
      let coupling = cos(s[1]) * ml * s[2] * s[3]
      return kinetic + coupling + ml * CartPole.gravity * cos(s[1])
    }
    var environment = CartPoleSwingup()
    environment.state = [0, 1, 0, 0]
    let start = energy(environment.state)
    for _ in 0..<100 { _ = environment.step([0]) }
    #expect(abs(energy(environment.state) - start) < 2e-4)
  }

  @Test func catchingRewardsOneAndMissingCostsOne() throws {
    let still = try Catch().rollout(from: [2, 0, 2], actions: Array(repeating: [1], count: 20))
    #expect(still.count == 10, "the episode ends after nine steps, when the ball has landed")
    #expect(still.last?.reward == 1 && still.last?.ending == .terminated && still.last?.discount == 0)
    let missed = try Catch().rollout(from: [2, 0, 2], actions: Array(repeating: [0], count: 9))
    #expect(missed.last?.reward == -1)
    #expect(missed.last?.state == [2, 9, 0], "the paddle stops at the wall")
    #expect(missed.dropLast().allSatisfy { $0.reward == 0 && $0.ending == .running })
  }

  @Test func aLandedBallStaysDown() {
    var environment = Catch()
    environment.state = [2, 9, 2]
    let step = environment.step([0])
    #expect(step == Step(reward: 0, discount: 0, ending: .terminated))
    #expect(environment.state == [2, 9, 2])
  }
}
