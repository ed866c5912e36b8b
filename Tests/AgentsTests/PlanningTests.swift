import Contracts
import Core
import Foundation
import Replay
import Tensors
import Testing

@testable import Agents

/// The search for plans, and MR.Q that acts by it. Values of plans are compared with PyTorch in `GoldenTests`.
@Suite struct PlanningTests {
  /// J = -Σ (a - a*)²
  private func values(of plans: [Tensor], best: [[Float]]) -> [Double] {
    (0..<plans[0].shape[0]).map { k in
      -zip(plans, best).reduce(0) { sum, step in
        let a = step.0.rows(k..<k + 1).array
        return sum + zip(a, step.1).reduce(0) { $0 + Double(($1.0 - $1.1) * ($1.0 - $1.1)) }
      }
    }
  }

  @Test func theSearchFindsTheBestPlan() {
    let best: [[Float]] = [[0.7, -0.3], [-1, 0.2]]
    let search = PlanSearch(samples: 256, rounds: 8, deviation: 1, temperature: 0.01)
    let found = search.best(around: [[0, 0], [0, 0]]) { values(of: $0, best: best) }
    for (a, b) in zip(found.joined(), best.joined()) { #expect(abs(a - b) < 0.1) }
  }

  @Test func theFirstPlanAndTheRangeAreKept() {
    var asked: [[Tensor]] = []
    let search = PlanSearch(samples: 16, rounds: 3, deviation: 2)
    // Only the first plan is worth anything.
    let found = search.best(around: [[0.5], [-0.9]]) { plans in
      asked.append(plans)
      return (0..<16).map { $0 == 0 ? 1000 : 0 }
    }
    #expect(found == [[0.5], [-0.9]] && asked.count == 3)
    for plans in asked {
      #expect(plans.map { $0.shape } == [[16, 1], [16, 1]])
      #expect(plans[0].array[0] == 0.5 && plans[1].array[0] == -0.9)
      #expect(plans.allSatisfy { $0.array.allSatisfy { abs($0) <= 1 } })
      #expect(Set(plans[0].array).count > 3)
    }
  }

  private func agent(_ space: ActionSpace, samples: Int) throws -> MRQ {
    var settings = MRQ.Settings()
    (settings.hidden, settings.period, settings.plans.samples) = (16, 2, samples)
    return MRQ(observationSize: 6, actionSpace: space, settings: settings, seed: Seed(1))
  }

  @Test func plannedActionsAreBetterInTheModel() throws {
    for space in contractSpaces.filter(\.isContinuous) {
      var agent = try agent(space, samples: 64)
      let o = randomObservation(30)
      #expect(!agent.plans, "the scale of rewards is not known yet")
      _ = agent.live(space)
      #expect(agent.plans)
      var alone = agent.actingByPolicyAlone
      let (planned, policy) = (agent.act(o, .exploit), alone.act(o, .exploit))
      #expect(planned.shape == policy.shape && planned.array != policy.array)
      #expect(planned.array.allSatisfy { abs($0) <= 1 })
      // The value of an action that the policy's follow.
      func mean(_ a: Tensor) -> Double {
        let values = agent.value(ofPlans: [a], from: agent.encoder.state(o))
        return values.reduce(0, +) / 30
      }
      #expect(mean(planned) > mean(policy))
    }
  }

  @Test func aPlannedActionIsAFunctionOfItsObservation() throws {
    let space = contractSpaces[1]
    var agent = try agent(space, samples: 16)
    _ = agent.live(space)
    let o = randomObservation(5)
    let all = agent.act(o, .exploit)
    #expect(agent.act(o, .exploit).array == all.array)
    for row in 0..<5 { #expect(agent.act(o.rows(row..<row + 1), .exploit).array == all.rows(row..<row + 1).array) }
    #expect(agent.act(o, .explore).array != all.array)
    #expect(agent.act(o, .explore).array.allSatisfy { abs($0) <= 1 })
  }

  @Test func anEndOutweighsWhatFollows() throws {
    let space = contractSpaces[0]
    var agent = try agent(space, samples: 16)
    _ = agent.live(space)
    // All steps end: only the first reward of a plan counts.
    let others = 16 + MRQ.Encoder.rewardBins.values.count
    let (weight, bias) = (agent.encoder.model.weight, agent.encoder.model.bias)  // [O, I], [O]
    let isOther = Tensor((0...others).map { $0 < others ? Float(1) : 0 }, [others + 1, 1])
    agent.encoder.model.weight = weight * isOther
    agent.encoder.model.bias = Tensor(bias.array.dropLast() + [1], bias.shape)
    let z = agent.encoder.state(randomObservation(4))
    #expect(bias.array.last != 0, "the contract's experience has ends")
    let (a, other) = (Tensor([Float(0.1), 0.2, 0.3, 0.4], [4, 1]), Tensor([Float(-1), 1, -1, 1], [4, 1]))
    #expect(agent.value(ofPlans: [a, a], from: z) == agent.value(ofPlans: [a, other], from: z))
    agent.encoder.model.bias = Tensor(bias.array.dropLast() + [0], bias.shape)
    #expect(agent.value(ofPlans: [a, a], from: z) != agent.value(ofPlans: [a, other], from: z))
  }

  @Test func choicesAreNotPlanned() throws {
    var settings = MRQ.Settings()
    try settings.check(for: .discrete(count: 3))
    settings.plans.samples = 8
    try settings.check(for: contractSpaces[0])
    #expect(throws: InputError.self) { try settings.check(for: .discrete(count: 3)) }
  }

  /// Checkpoints and fingerprints of runs that do not plan are those of versions without plans.
  @Test func withoutPlansTheSettingsAreThoseOfOlderVersions() throws {
    var settings = MRQ.Settings()
    func stored() throws -> String { String(decoding: try JSONEncoder().encode(settings), as: UTF8.self) }
    #expect(
      MRQ.Settings.addedLater
        == ["plan-samples": "0", "plan-horizon": "3", "plan-rounds": "2", "plan-deviation": "0.5"])
    #expect(try !stored().contains("lans"))
    try settings.set("plan-samples", to: "8")
    #expect(try stored().contains("lans"))
    let read = try JSONDecoder().decode(MRQ.Settings.self, from: try JSONEncoder().encode(settings))
    #expect(read.plans == settings.plans && read.plans.samples == 8)
    try settings.set("plan-samples", to: "0")
    #expect(try !stored().contains("lans"))
  }
}
