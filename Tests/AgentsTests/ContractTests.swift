import Core
import Foundation
import Replay
import Tensors
import Testing

@testable import Agents

/// A catalog entry as a test argument.
struct Member: Sendable, CustomTestStringConvertible {
  let type: any Agent.Type
  var testDescription: String { type.id }
  static let all = Agents.all.map(Member.init)
}

private let spaces: [ActionSpace] = [
  .continuous(low: [-1], high: [1]), .continuous(low: [-2, 0, -1], high: [2, 1, 5]), .discrete(count: 2),
  .discrete(count: 5),
]
private let observationSize = 6

extension Agent {
  /// The spaces of the tests that it says it can act in.
  static var accepted: [ActionSpace] { spaces.filter(accepts) }

  static func small(_ space: ActionSpace, seed: UInt64 = 1) throws -> Self {
    var settings = Settings()
    try settings.set("hidden", to: "16")
    try settings.set(Settings.Experience.isOffPolicy ? "batch" : "horizon", to: "8")
    return Self(observationSize: observationSize, actionSpace: space, settings: settings, seed: Seed(seed))
  }

  /// Three updates, and an exploring action.
  fileprivate mutating func live(_ space: ActionSpace) -> (metrics: [[Double]], action: [Float]) {
    let metrics = (0..<3).map { update(Self.experience(space, seed: $0)).metrics.entries.map(\.value) }
    return (metrics, act(randomObservation(4), .explore).array)
  }

  /// Eight transitions as an update takes them.
  fileprivate static func experience(_ space: ActionSpace, seed: Int) -> Settings.Experience {
    let batch = randomBatch(8, space, seed: seed)
    let rollout = Rollout(batch)
    let known: [any Experience] = [batch, rollout, RolloutWithReplay(rollout: rollout, batches: [batch])]
    guard let experience = known.lazy.compactMap({ $0 as? Settings.Experience }).first else {
      preconditionFailure("the contract knows batches and rollouts, not \(Settings.Experience.self)")
    }
    return experience
  }

  var bits: [[UInt32]] { parameters.map { $0.value.array.map(\.bitPattern) } }
}

extension Rollout {
  /// The rows of a batch as two environments, in each of which the episode ended in between.
  fileprivate init(_ batch: Batch) {
    let count = batch.reward.shape[0]
    let ends = [count / 4, count / 2, 3 * count / 4, count].map { $0 - 1 }
    self.init(
      observation: batch.observation, action: batch.action, reward: batch.reward, discount: batch.discount,
      nextObservation: batch.nextObservation, lane: (0..<count).map { 2 * $0 / count },
      isLast: (0..<count).map(ends.contains))
  }
}

private func randomObservation(_ count: Int, seed: UInt64 = 5) -> Tensor {
  var random = Seed(seed).stream("observations")
  return .normal([count, observationSize], using: &random)
}

func randomBatch(_ count: Int, _ space: ActionSpace, seed: Int) -> Batch {
  var random = Seed(UInt64(seed)).stream("batch")
  let actions = (0..<count).flatMap { _ in space.normalized(space.sample(using: &random)) }
  return Batch(
    observation: .normal([count, observationSize], using: &random),
    action: Tensor(actions, [count, space.arrayCount]), reward: .normal([count, 1], using: &random),
    discount: Tensor((0..<count).map { $0 % 4 == 0 ? 0 : Float(1) }, [count, 1]),
    nextObservation: .normal([count, observationSize], using: &random))
}

/// What every agent of the catalog promises.
@Suite struct ContractTests {
  @Test(arguments: Member.all) func valuesAreColumnsAndSamplesAreActions(_ member: Member) throws {
    func check<A: Agent>(_ type: A.Type) throws {
      for space in A.accepted {
        var agent = try A.small(space)
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
    for space in spaces { #expect(try #require(Agents.fitting(space)).accepts(space)) }
    for type in Agents.all { #expect(spaces.contains { type.accepts($0) }) }
  }

  @Test(arguments: Member.all) func actionsStayWithinTheSpace(_ member: Member) throws {
    func check<A: Agent>(_ type: A.Type) throws {
      for space in A.accepted {
        var agent = try A.small(space)
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
        var agent = try A.small(space)
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
        var (one, same, other) = (try A.small(space), try A.small(space), try A.small(space, seed: 2))
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
        var agent = try A.small(space)
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
        var agent = try A.small(space)
        let before = agent.parameters
        var names = Set<String>()
        for i in 0..<4 {
          let metrics = agent.update(A.experience(space, seed: i)).metrics
          #expect(!metrics.entries.isEmpty && metrics.entries.allSatisfy { $0.value.isFinite })
          names.formUnion(metrics.entries.map(\.name))
        }
        #expect(names.contains("critic/loss"), "the loop reports this one")
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
        var agent = try A.small(space)
        let before = Dictionary(uniqueKeysWithValues: agent.parameters.map { ($0.name, $0.value.array) })
        // Some follow only every few updates.
        func targetBits(_ agent: A) -> [[Float]] {
          agent.parameters.filter { $0.name.hasPrefix("target_") }.map(\.value.array)
        }
        let untouched = targetBits(agent)
        for i in 0..<4 where targetBits(agent) == untouched { _ = agent.update(A.experience(space, seed: i)) }
        let after = Dictionary(uniqueKeysWithValues: agent.parameters.map { ($0.name, $0.value.array) })
        let targets = before.keys.filter { $0.hasPrefix("target_") }
        #expect(!targets.isEmpty || !A.Settings.Experience.isOffPolicy, "who bootstraps off its policy needs a target")
        for target in targets {
          let source = String(target.dropFirst("target_".count))
          let (old, now) = (try #require(before[target]), try #require(after[target]))
          let learned = try #require(after[source])
          #expect(old == before[source])
          // From one model to the other, by τ = 0.01.
          for i in old.indices {
            let expected = old[i] + 0.01 * (learned[i] - old[i])
            #expect(abs(now[i] - expected) <= 2e-7 * max(1, abs(old[i])))
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

/// Each field takes what its domain says, gives it back, changes nothing else and refuses the rest.
private func expectFieldsWork<Group: SettingsGroup>(_ type: Group.Type) throws {
  #expect(Set(Group.fields.map(\.key)).count == Group.fields.count)
  let defaults = Group()
  for field in Group.fields {
    #expect(!field.help.isEmpty)
    var same = defaults
    try field.set(&same, field.text(defaults))
    #expect(field.text(same) == field.text(defaults), "the default of \(field.key) lies within its domain")

    let choices = field.domain.components(separatedBy: ", ")
    let candidates = ["true", "false", "1", "0", "0.5", "2"] + choices
    let others = candidates.filter { candidate in
      var group = defaults
      do { try field.set(&group, candidate) } catch { return false }
      return field.text(group) != field.text(defaults)
    }
    var changed = defaults
    try field.set(&changed, try #require(others.first, "\(field.key) takes another value than its default"))
    for other in Group.fields {
      #expect((other.text(changed) == other.text(defaults)) == (other.key != field.key))
    }
    for wrong in ["", "nonsense", "nan", "-1"] {
      var group = defaults
      #expect(throws: InputError("--\(field.key) takes \(field.domain), not '\(wrong)'")) {
        try field.set(&group, wrong)
      }
    }
  }
}
