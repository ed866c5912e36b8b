import Agents
import Core
import Replay
import Tensors
import Testing

/// What every agent must do, in each kind of action space that it accepts.
///
/// ```swift
/// @Test(arguments: AgentRequirement.allCases) func dqn(_ requirement: AgentRequirement) throws {
///   try requirement.check(DQN.self)
/// }
/// ```
public enum AgentRequirement: String, Sendable, CaseIterable {
  case valuesAreColumnsAndSamplesAreActions
  case anAgentBeginsWithTheWeightsOfAnother
  case actionsStayWithinTheSpace
  case exploitingIsDeterministicAndExploringIsNot
  case learningIsReproducibleFromTheSeed
  case aCopyIsIndependentAndContinuesIdentically
  case updatesChangeEveryParameter
  case targetNetworksFollow
  case settingsAreParsedAndBounded
  // Only of agents that learn from a `Batch`.
  case theObservationGradientIsThatOfTheCriticsLoss
  case theObservationGradientChangesNothingElse
  case targetNetworksUseTheTargetObservation

  /// Records an issue in the running test for each difference.
  ///
  /// - Throws: an error if something that is required is missing.
  public func check<A: Agent>(_ agent: A.Type) throws {
    #expect(!A.accepted.isEmpty, "it accepts no action space")
    for space in A.accepted { try check(agent, in: space) }
  }

  private func check<A: Agent>(_ agent: A.Type, in space: ActionSpace) throws {
    let learnsFromBatches = A.Settings.Experience.self == Batch.self
    switch self {
    case .valuesAreColumnsAndSamplesAreActions: try checkValues(agent, in: space)
    case .anAgentBeginsWithTheWeightsOfAnother: try checkBeginning(agent, in: space)
    case .actionsStayWithinTheSpace: try checkActions(agent, in: space)
    case .exploitingIsDeterministicAndExploringIsNot: try checkBehaviors(agent, in: space)
    case .learningIsReproducibleFromTheSeed: try checkSeed(agent, in: space)
    case .aCopyIsIndependentAndContinuesIdentically: try checkCopies(agent, in: space)
    case .updatesChangeEveryParameter: try checkUpdates(agent, in: space)
    case .targetNetworksFollow: try checkTargets(agent, in: space)
    case .settingsAreParsedAndBounded:
      #expect(!A.note.isEmpty)
      try checkFields(A.Settings.self)
    case .theObservationGradientIsThatOfTheCriticsLoss:
      if learnsFromBatches { try checkObservationGradient(agent, in: space) }
    case .theObservationGradientChangesNothingElse:
      if learnsFromBatches { try checkThatGradientsChangeNothing(agent, in: space) }
    case .targetNetworksUseTheTargetObservation:
      if learnsFromBatches { try checkTargetObservations(agent, in: space) }
    }
  }
}

private func checkValues<A: Agent>(_ type: A.Type, in space: ActionSpace) throws {
  var agent = try A.new(space)
  let o = randomObservation(200)
  let value = agent.value(o)
  #expect(value.shape == [200, 1] && value.isFinite && (0...1).contains(agent.settings.discount))
  #expect(agent.value(o).array == value.array, "computing a value must not change the agent")
  let (best, sampled) = (agent.act(o, .exploit), agent.act(o, .sample))
  #expect(sampled.shape == best.shape)
  #expect(sampled.array.allSatisfy { space.isContinuous ? abs($0) <= 1 : $0 == $0.rounded() && $0 >= 0 })
  _ = agent.live(space)
  #expect(agent.value(o).array != value.array, "learning must change values")
}

/// It acts and judges as the other one, and learns on.
private func checkBeginning<A: Agent>(_ type: A.Type, in space: ActionSpace) throws {
  var (taught, new) = (try A.new(space), try A.new(space, seed: 2))
  _ = taught.live(space)
  try new.begin(with: taught.parameters)
  let o = randomObservation(20)
  #expect(new.bits == taught.bits && new.value(o).array == taught.value(o).array)
  #expect(new.act(o, .exploit).array == taught.act(o, .exploit).array)
  _ = new.live(space)
  #expect(new.bits != taught.bits)
}

private func checkActions<A: Agent>(_ type: A.Type, in space: ActionSpace) throws {
  var agent = try A.new(space)
  for count in [1, 7] {
    for behavior in [Behavior.explore, .exploit] {
      // Observations far outside the usual range must not lead to invalid actions.
      let actions = agent.act(randomObservation(count) * 100, behavior)
      #expect(actions.shape == [count, space.arrayCount])
      if case .discrete(let choices) = space {
        #expect(actions.array.allSatisfy { (0..<choices).map(Float.init).contains($0) })
      } else {
        #expect(actions.array.allSatisfy { abs($0) <= 1 })
      }
    }
  }
}

private func checkBehaviors<A: Agent>(_ type: A.Type, in space: ActionSpace) throws {
  var agent = try A.new(space)
  let observation = randomObservation(32)
  let first = agent.act(observation, .exploit).array
  let explored = agent.act(observation, .explore).array
  #expect(agent.act(observation, .exploit).array == first)
  #expect(explored != first)
  #expect(agent.act(observation, .explore).array != explored)
  // A row's action does not depend on the other rows.
  let alone = agent.act(observation.rows(3..<4), .exploit).array
  let width = space.arrayCount
  for i in 0..<width { #expect(abs(alone[i] - first[3 * width + i]) < 1e-5) }
}

private func checkSeed<A: Agent>(_ type: A.Type, in space: ActionSpace) throws {
  var (one, same, other) = (try A.new(space), try A.new(space), try A.new(space, seed: 2))
  let result = one.live(space)
  let (sameResult, otherResult) = (same.live(space), other.live(space))
  #expect(result == sameResult && one.bits == same.bits)
  #expect(result.metrics != otherResult.metrics && one.bits != other.bits)
}

private func checkCopies<A: Agent>(_ type: A.Type, in space: ActionSpace) throws {
  var agent = try A.new(space)
  _ = agent.live(space)
  var copy = agent
  let before = copy.bits
  let expected = agent.live(space)
  #expect(copy.bits == before)
  let found = copy.live(space)
  #expect(found == expected && copy.bits == agent.bits)
}

private func checkUpdates<A: Agent>(_ type: A.Type, in space: ActionSpace) throws {
  var agent = try A.new(space)
  let before = agent.parameters
  for i in 0..<4 {
    let lesson = agent.update(A.experience(space, seed: i))
    #expect((lesson.metrics[Lesson.criticLoss] != nil) == lesson.isComplete)
    #expect(lesson.metrics.entries.allSatisfy { $0.value.isFinite })
    #expect(i < 3 || lesson.isComplete)
  }
  for (old, new) in zip(before, agent.parameters) {
    #expect(old.name == new.name && new.value.isFinite)
    #expect(old.value.array != new.value.array, "\(new.name) did not change")
  }
}

private func checkTargets<A: Agent>(_ type: A.Type, in space: ActionSpace) throws {
  var agent = try A.new(space)
  let before = Dictionary(uniqueKeysWithValues: agent.parameters.map { ($0.name, $0.value.array) })
  // Some agents update their target networks only every few updates.
  func targetBits(_ agent: A) -> [[Float]] {
    agent.parameters.filter { $0.name.hasPrefix("target_") }.map(\.value.array)
  }
  let untouched = targetBits(agent)
  for i in 0..<4 where targetBits(agent) == untouched { _ = agent.update(A.experience(space, seed: i)) }
  let after = Dictionary(uniqueKeysWithValues: agent.parameters.map { ($0.name, $0.value.array) })
  let parts = Dictionary(grouping: before.keys.filter { $0.hasPrefix("target_") }) { $0.prefix { $0 != "." } }
  for targets in parts.values {
    var steps: [(old: Float, now: Float, difference: Float)] = []
    for target in targets {
      let source = String(target.dropFirst("target_".count))
      let (old, now) = (try #require(before[target]), try #require(after[target]))
      let learned = try #require(after[source], "\(target) follows nothing")
      #expect(old == before[source])
      for i in old.indices { steps.append((old[i], now[i], learned[i] - old[i])) }
    }
    // The fraction, computed from the largest difference.
    let largest = try #require(steps.max { abs($0.difference) < abs($1.difference) })
    let fraction = (largest.now - largest.old) / largest.difference
    #expect(fraction > 0 && fraction <= 1)
    for step in steps {
      #expect(abs(step.now - step.old - fraction * step.difference) <= 2e-7 * max(1, abs(step.old)))
    }
  }
}
