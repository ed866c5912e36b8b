import Core
import Replay
import Tensors
import Testing

@testable import Agents

/// Learning from recorded actions: small problems whose solutions are known.
@Suite struct OfflineTests {
  private let box = ActionSpace.continuous(low: [-1], high: [1])
  private let o = Tensor(repeating: 1, [64, 1])

  /// One step. The recorded actions are about -0.5 with reward 0 and, one in four, about 0.5 with reward 1.
  private func twoHabits(_ random: inout Random) -> Batch {
    let isGood = (0..<64).map { $0 % 4 == 0 }
    let a = isGood.map { Float(($0 ? 0.5 : -0.5) + 0.05 * random.normal()) }
    return Batch(
      observation: o, action: Tensor(a, [64, 1]), reward: Tensor(isGood.map { $0 ? 1 : Float(0) }, [64, 1]),
      discount: .zeros([64, 1]), nextObservation: o)
  }

  private func learned<A: Agent>(_ type: A.Type, _ set: (inout A.Settings) -> Void = { _ in }) throws -> A
  where A.Settings: BatchSettings {
    var settings = A.Settings()
    for (key, value) in [("hidden", "32"), ("batch", "64"), ("learning-rate", "0.003")] {
      try settings.set(key, to: value)
    }
    set(&settings)
    var agent = A(observationSize: 1, actionSpace: box, settings: settings, seed: Seed(1))
    var random = Seed(2).stream("recorded actions")
    for _ in 0..<400 { _ = agent.update(twoHabits(&random)) }
    return agent
  }

  private func action<A: Agent>(_ agent: A) -> Double {
    var agent = agent
    return Double(agent.act(o.rows(0..<1), .exploit).item)
  }

  /// The mean of the recorded actions, and the mean of their rewards.
  @Test func cloningIsTheMeanOfTheActions() throws {
    let agent = try learned(BehaviorCloning.self)
    #expect(abs(action(agent) + 0.25) < 0.05, "\(action(agent))")
    #expect(abs(agent.value(o.rows(0..<1)).item - 0.25) < 0.05)
  }

  /// The rewarded actions have the weight exp(β (1 - V)), the others exp(-β V): at β = 0 all count alike, and at a large
  /// β only the rewarded ones.
  @Test(arguments: [(0.0, -0.25), (8.0, 0.5)])
  func implicitQLearningClonesWhatIsAboveV(_ inverseTemperature: Double, _ expected: Double) throws {
    let agent = try learned(IQL.self) { $0.inverseTemperature = inverseTemperature }
    #expect(abs(action(agent) - expected) < 0.1, "\(action(agent))")
  }

  /// The τ-expectile m of a reward that is 1 in a quarter of the data: τ (1 - m) / 4 = (1 - τ) m 3 / 4.
  @Test(arguments: [0.5, 0.9]) func theValueIsAnExpectile(_ tau: Double) throws {
    let agent = try learned(IQL.self) { $0.expectile = tau }
    let m = tau / (tau + 3 * (1 - tau))
    let found = agent.value(o.rows(0..<1)).item
    #expect(abs(found - m) < 0.06, "\(found) for \(m)")
  }

  /// Without the weight of Q it clones; with it, it prefers the rewarded actions, but does not leave the data. TD3 does:
  /// the critics were never told what actions above 0.5 are worth.
  @Test func theDataLimitTheActor() throws {
    let cloned = action(try learned(TD3BC.self) { $0.qWeight = 0 })
    #expect(abs(cloned + 0.25) < 0.05, "\(cloned)")
    let near = action(try learned(TD3BC.self))
    #expect((0.2...0.8).contains(near), "\(near)")
    let free = action(try learned(TD3.self))
    #expect(free > near, "\(free)")
  }

  /// Two steps: the good action of the first step has no reward itself, only one that follows.
  @Test(arguments: ["td3-bc", "iql"]) func rewardsThatFollowCount(_ id: String) throws {
    func check<A: Agent>(_ type: A.Type) throws {
      var settings = A.Settings()
      for (key, value) in [("hidden", "32"), ("learning-rate", "0.003"), ("tau", "0.05"), ("discount", "0.9")] {
        try settings.set(key, to: value)
      }
      if id == "iql" { try settings.set("inverse-temperature", to: "10") }
      var agent = A(observationSize: 2, actionSpace: box, settings: settings, seed: Seed(2))
      var random = Seed(3).stream("recorded actions")
      for _ in 0..<400 {
        let states = (0..<64).map { $0 % 2 }
        let actions = states.map { _ in random.uniform(-1, 1) }
        // State 0 leads to state 1 if the action is positive, else to itself. State 1 has the reward and terminates.
        let batch = Batch(
          observation: oneHot(states, of: 2), action: Tensor(actions.map(Float.init), [64, 1]),
          reward: Tensor(states.map(Float.init), [64, 1]),
          discount: Tensor(states.map { Float(1 - $0) }, [64, 1]),
          nextObservation: oneHot(zip(states, actions).map { $0 == 1 || $1 > 0 ? 1 : 0 }, of: 2))
        _ = agent.update(try #require(batch as? A.Settings.Experience))
      }
      let action = agent.act(oneHot([0], of: 2), .exploit).item
      #expect(action > 0.2, "\(action)")
    }
    try check(try Agents.named(id))
  }

  @Test func discreteActionsAreChosenByTheirValue() throws {
    var settings = IQL.Settings()
    (settings.hidden, settings.learningRate, settings.inverseTemperature) = (32, 3e-3, 10)
    var iql = IQL(observationSize: 1, actionSpace: .discrete(count: 3), settings: settings, seed: Seed(1))
    var cloningSettings = BehaviorCloning.Settings()
    (cloningSettings.hidden, cloningSettings.learningRate) = (32, 3e-3)
    var bc = BehaviorCloning(
      observationSize: 1, actionSpace: .discrete(count: 3), settings: cloningSettings, seed: Seed(1))
    // Choice 0 is frequent, choice 2 is good, choice 1 is never made.
    let choices = (0..<64).map { $0 % 4 == 0 ? Float(2) : 0 }
    let batch = Batch(
      observation: o, action: Tensor(choices, [64, 1]), reward: Tensor(choices, [64, 1]), discount: .zeros([64, 1]),
      nextObservation: o)
    for _ in 0..<300 {
      _ = iql.update(batch)
      _ = bc.update(batch)
    }
    #expect(iql.act(o.rows(0..<1), .exploit).item == 2 && bc.act(o.rows(0..<1), .exploit).item == 0)
    #expect(!bc.act(o, .sample).array.contains(1))
  }

  @Test func theNoiseOfTheTargetActionIsClipped() {
    var random = Seed(1).stream("noise")
    let noise = targetNoise([1000, 2], deviation: 0.2, limit: 0.3, using: &random).array.map { Double($0) }
    #expect(noise.allSatisfy { abs($0) <= 0.3 + 1e-6 } && abs(noise.mean) < 0.01)
    // An eighth of a normal distribution is beyond 1.5 deviations.
    #expect((220...320).contains(noise.count { abs($0) > 0.2999 }))
  }
}
