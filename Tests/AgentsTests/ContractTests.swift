import Core
import Replay
import Tensors
import Testing

@testable import Agents

/// The requirements that every agent of the catalog must meet.
@Suite struct ContractTests {
  @Test(arguments: Member.all) func valuesAreColumnsAndSamplesAreActions(_ member: Member) throws {
    func check<A: Agent>(_ type: A.Type) throws {
      for space in A.accepted {
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
    }
    try check(member.type)
  }

  /// It acts and judges as the other one, and learns on.
  @Test(arguments: Member.all) func anAgentBeginsWithTheWeightsOfAnother(_ member: Member) throws {
    func check<A: Agent>(_ type: A.Type) throws {
      for space in A.accepted {
        var (taught, new) = (try A.new(space), try A.new(space, seed: 2))
        _ = taught.live(space)
        try new.begin(with: taught.parameters)
        let o = randomObservation(20)
        #expect(new.bits == taught.bits && new.value(o).array == taught.value(o).array)
        #expect(new.act(o, .exploit).array == taught.act(o, .exploit).array)
        _ = new.live(space)
        #expect(new.bits != taught.bits)
      }
    }
    try check(member.type)
  }

  /// The copies of asynchronous workers too.
  @Test func workersBeginWithTheWeightsOfAnotherAgent() throws {
    var settings = ActorCritic.Settings()
    (settings.hidden, settings.workers) = (8, 2)
    func new(_ seed: UInt64) -> ActorCritic {
      ActorCritic(observationSize: 6, actionSpace: contractSpaces[0], settings: settings, seed: Seed(seed))
    }
    var agent = new(2)
    try agent.begin(with: new(1).parameters)
    let weights = agent.parameters.map(\.value.array)
    for worker in agent.workers { #expect(worker.model.parameters.map(\.value.array) == weights) }
  }

  @Test func idsAreUniqueAndFound() throws {
    #expect(Set(Agents.all.map { $0.id }).count == Agents.all.count)
    for type in Agents.all {
      #expect(try Agents.named(type.id) == type)
      #expect(!type.note.isEmpty)
    }
    #expect(throws: InputError("unknown agent 'sacc': did you mean 'sac'?")) { try Agents.named("sacc") }
  }

  @Test func everySpaceHasAnAgent() throws {
    for space in contractSpaces { #expect(try #require(Agents.fitting(space)).accepts(space)) }
    for type in Agents.all { #expect(contractSpaces.contains { type.accepts($0) }) }
  }

  @Test(arguments: Member.all) func actionsStayWithinTheSpace(_ member: Member) throws {
    func check<A: Agent>(_ type: A.Type) throws {
      for space in A.accepted {
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
    }
    try check(member.type)
  }

  @Test(arguments: Member.all) func exploitingIsDeterministicAndExploringIsNot(_ member: Member) throws {
    func check<A: Agent>(_ type: A.Type) throws {
      for space in A.accepted {
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
    }
    try check(member.type)
  }

  @Test(arguments: Member.all) func learningIsReproducibleFromTheSeed(_ member: Member) throws {
    func check<A: Agent>(_ type: A.Type) throws {
      for space in A.accepted {
        var (one, same, other) = (try A.new(space), try A.new(space), try A.new(space, seed: 2))
        let result = one.live(space)
        let (sameResult, otherResult) = (same.live(space), other.live(space))
        #expect(result == sameResult && one.bits == same.bits)
        #expect(result.metrics != otherResult.metrics && one.bits != other.bits)
      }
    }
    try check(member.type)
  }

  @Test(arguments: Member.all) func aCopyIsIndependentAndContinuesIdentically(_ member: Member) throws {
    func check<A: Agent>(_ type: A.Type) throws {
      for space in A.accepted {
        var agent = try A.new(space)
        _ = agent.live(space)
        var copy = agent
        let before = copy.bits
        let expected = agent.live(space)
        #expect(copy.bits == before)
        let found = copy.live(space)
        #expect(found == expected && copy.bits == agent.bits)
      }
    }
    try check(member.type)
  }

  @Test(arguments: Member.all) func updatesChangeEveryParameter(_ member: Member) throws {
    func check<A: Agent>(_ type: A.Type) throws {
      for space in A.accepted {
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
    }
    try check(member.type)
  }

  @Test(arguments: Member.all) func targetNetworksFollow(_ member: Member) throws {
    func check<A: Agent>(_ type: A.Type) throws {
      for space in A.accepted {
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
    }
    try check(member.type)
  }

  @Test(arguments: Member.all) func settingsAreParsedAndBounded(_ member: Member) throws {
    func check<A: Agent>(_ type: A.Type) throws {
      try expectFieldsWork(A.Settings.self)
    }
    try check(member.type)
  }
}

/// Checks that each field returns the value it was set to, changes nothing else, and rejects values outside its domain.
private func expectFieldsWork<Group: SettingsGroup>(_ type: Group.Type) throws {
  #expect(Set(Group.fields.map(\.key)).count == Group.fields.count)
  let defaults = Group()
  for field in Group.fields {
    #expect(!field.help.isEmpty)
    let text = field.text(defaults)
    var same = defaults
    try field.set(&same, text)
    #expect(
      same.record.map(\.text) == defaults.record.map(\.text), "the default of \(field.key) must be in its domain")

    let numbers = Double(text).map { [$0 - 1, $0 / 2, $0 * 2, $0 + 1].map(\.text) } ?? []
    for value in numbers + field.choices + (field.isSwitch ? ["true", "false"] : []) {
      var changed = defaults
      // Out of range.
      do { try field.set(&changed, value) } catch is InputError { continue }
      #expect(field.text(changed) == value)
      for other in Group.fields where other.key != field.key {
        #expect(other.text(changed) == other.text(defaults), "\(field.key) sets \(other.key) too")
      }
    }
    for wrong in ["", "nonsense", "nan"] where field.domain != "text" && !field.choices.contains(wrong) {
      var group = defaults
      #expect(throws: InputError.self) { try field.set(&group, wrong) }
    }
  }
}
