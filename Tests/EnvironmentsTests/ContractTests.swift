import Contracts
import Core
import Testing

@testable import Environments

/// A catalog entry as a test argument.
struct Member: Sendable, CustomTestStringConvertible {
  let type: any BuiltInEnvironment.Type
  var testDescription: String { type.id }
  /// The environments of the catalog that are available on this machine.
  static let all = Environments.all.filter { (try? $0.prepare()) != nil }.map(Member.init)
}

extension Member {
  /// Returns the catalog entry with the given name, ready to be used.
  init(id: String) throws {
    type = try #require(Environments.all.first { $0.id == id }, "\(id) is not in the catalog")
    try type.prepare()
  }
}

/// The requirements that every environment of the catalog must meet.
@Suite struct ContractTests {
  @Test func idsAreUniqueAndFound() throws {
    #expect(Set(Environments.all.map { $0.id }).count == Environments.all.count)
    for member in Member.all {
      let found = try Environments.named(member.type.id)
      #expect(type(of: found) == member.type && found.spec.id == member.type.id)
    }
    #expect(throws: InputError("unknown environment 'cartpole-swinup': did you mean 'cartpole-swingup'?")) {
      try Environments.named("cartpole-swinup")
    }
  }

  @Test(arguments: Member.all, EnvironmentRequirement.allCases)
  func everyMember(_ member: Member, meets requirement: EnvironmentRequirement) throws {
    try requirement.check(member.type)
  }

  /// The known random returns that `pixelrl envs` prints are correct to the printed digits.
  @Test(arguments: Member.all) func theDeclaredRandomReturnIsCorrect(_ member: Member) throws {
    func check<E: BuiltInEnvironment>(_ type: E.Type) throws {
      guard let declared = Environments.randomReturns[E.id] else { return }
      let measured = E().randomReturn(episodes: 10, seed: Seed(0))
      #expect(abs(measured - declared) <= (declared >= 10 ? 0.5 : 0.05) + rounding(member) * declared, "\(measured)")
    }
    try check(member.type)
  }

  /// The relative difference of a return that is allowed between machines, since MuJoCo may round differently.
  private func rounding(_ member: Member) -> Double {
    #if MuJoCo
      if member.type is any SuiteTask.Type { return 0.05 }
    #endif
    return 1e-9
  }
}
