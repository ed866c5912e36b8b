import Contracts
import Core
import Testing

@testable import Agents

/// The requirements that every agent of the catalog must meet.
@Suite struct ContractTests {
  @Test(arguments: Member.all, AgentRequirement.allCases)
  func everyMember(_ member: Member, meets requirement: AgentRequirement) throws {
    try requirement.check(member.type)
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
    }
    #expect(throws: InputError("unknown agent 'sacc': did you mean 'sac'?")) { try Agents.named("sacc") }
  }

  @Test func everySpaceHasAnAgent() throws {
    for space in contractSpaces { #expect(try #require(Agents.fitting(space)).accepts(space)) }
    for type in Agents.all { #expect(contractSpaces.contains { type.accepts($0) }) }
  }
}
