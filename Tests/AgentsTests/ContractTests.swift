import Core
import Replay
import Tensors
import Testing

@testable import Agents

/// What every agent of the catalog promises.
@Suite struct ContractTests {
  @Test(arguments: Member.all) func valuesAreColumnsAndSamplesAreActions(_ member: Member) throws {
    func check<A: Agent>(_ type: A.Type) throws {
      for space in A.accepted {
        var agent = try A.new(space)
        let o = randomObservation(200)
        let value = agent.value(o)
        #expect(value.shape == [200, 1] && value.isFinite && (0...1).contains(agent.settings.discount))
        #expect(agent.value(o).array == value.array, "telling a value changes nothing")
        let (best, sampled) = (agent.act(o, .exploit), agent.act(o, .sample))
        #expect(sampled.shape == best.shape)
        #expect(sampled.array.allSatisfy { space.isContinuous ? abs($0) <= 1 : $0 == $0.rounded() && $0 >= 0 })
        _ = agent.live(space)
        #expect(agent.value(o).array != value.array, "learning changes values")
      }
    }
    try check(member.type)
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
            // Observations far from all that was seen must not lead outside either.
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
        // A row's action is its own, whatever stands beside it.
        let alone = agent.act(observation.rows(3..<4), .exploit).array
        let width = space.arrayCount
        for i in 0..<width { #expect(abs(alone[i] - first[3 * width + i]) < 1e-5) }
      }
    }
    try check(member.type)
  }

  @Test(arguments: Member.all) func seedFixesTheLearning(_ member: Member) throws {
    func check<A: Agent>(_ type: A.Type) throws {
      for space in A.accepted {
        var (one, same, other) = (try A.new(space), try A.new(space), try A.new(space, seed: 2))
        let lived = one.live(space)
        let (sameLived, otherLived) = (same.live(space), other.live(space))
        #expect(lived == sameLived && one.bits == same.bits)
        #expect(lived.metrics != otherLived.metrics && one.bits != other.bits)
      }
    }
    try check(member.type)
  }

  @Test(arguments: Member.all) func aCopyIsASnapshotWithTheSameFuture(_ member: Member) throws {
    func check<A: Agent>(_ type: A.Type) throws {
      for space in A.accepted {
        var agent = try A.new(space)
        _ = agent.live(space)
        var copy = agent
        let before = copy.bits
        let future = agent.live(space)
        #expect(copy.bits == before)
        let copied = copy.live(space)
        #expect(copied == future && copy.bits == agent.bits)
      }
    }
    try check(member.type)
  }

  @Test(arguments: Member.all) func anUpdateMovesEveryParameter(_ member: Member) throws {
    func check<A: Agent>(_ type: A.Type) throws {
      for space in A.accepted {
        var agent = try A.new(space)
        let before = agent.parameters
        for i in 0..<4 {
          let metrics = agent.update(A.experience(space, seed: i)).metrics
          #expect(metrics[Lesson.criticLoss] != nil && metrics.entries.allSatisfy { $0.value.isFinite })
        }
        for (old, new) in zip(before, agent.parameters) {
          #expect(old.name == new.name && new.value.isFinite)
          #expect(old.value.array != new.value.array, "\(new.name) did not move")
        }
      }
    }
    try check(member.type)
  }

  @Test(arguments: Member.all) func targetsFollow(_ member: Member) throws {
    func check<A: Agent>(_ type: A.Type) throws {
      for space in A.accepted {
        var agent = try A.new(space)
        let before = Dictionary(uniqueKeysWithValues: agent.parameters.map { ($0.name, $0.value.array) })
        // Some follow only every few updates.
        func targetBits(_ agent: A) -> [[Float]] {
          agent.parameters.filter { $0.name.hasPrefix("target_") }.map(\.value.array)
        }
        let untouched = targetBits(agent)
        for i in 0..<4 where targetBits(agent) == untouched { _ = agent.update(A.experience(space, seed: i)) }
        let after = Dictionary(uniqueKeysWithValues: agent.parameters.map { ($0.name, $0.value.array) })
        let parts = Dictionary(grouping: before.keys.filter { $0.hasPrefix("target_") }) { $0.prefix { $0 != "." } }
        for targets in parts.values {
          var steps: [(old: Float, now: Float, way: Float)] = []
          for target in targets {
            let source = String(target.dropFirst("target_".count))
            let (old, now) = (try #require(before[target]), try #require(after[target]))
            let learned = try #require(after[source], "\(target) follows nothing")
            #expect(old == before[source])
            for i in old.indices { steps.append((old[i], now[i], learned[i] - old[i])) }
          }
          // The fraction as the longest way tells it.
          let longest = try #require(steps.max { abs($0.way) < abs($1.way) })
          let fraction = (longest.now - longest.old) / longest.way
          #expect(fraction > 0 && fraction <= 1)
          for step in steps {
            #expect(abs(step.now - step.old - fraction * step.way) <= 2e-7 * max(1, abs(step.old)))
          }
        }
      }
    }
    try check(member.type)
  }

  @Test(arguments: Member.all) func settingsAreReadBackAndBounded(_ member: Member) throws {
    func check<A: Agent>(_ type: A.Type) throws {
      try expectFieldsWork(A.Settings.self)
    }
    try check(member.type)
  }
}

/// Each field gives back what it takes, changes nothing else, and refuses what it does not take.
private func expectFieldsWork<Group: SettingsGroup>(_ type: Group.Type) throws {
  #expect(Set(Group.fields.map(\.key)).count == Group.fields.count)
  let defaults = Group()
  for field in Group.fields {
    #expect(!field.help.isEmpty)
    let text = field.text(defaults)
    var same = defaults
    try field.set(&same, text)
    #expect(
      same.record.map(\.text) == defaults.record.map(\.text), "the default of \(field.key) lies within its domain")

    let numbers = Double(text).map { [$0 - 1, $0 / 2, $0 * 2, $0 + 1].map(\.text) } ?? []
    for typed in numbers + field.choices + (field.isSwitch ? ["true", "false"] : []) {
      var changed = defaults
      // Out of its range.
      do { try field.set(&changed, typed) } catch is InputError { continue }
      #expect(field.text(changed) == typed)
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
