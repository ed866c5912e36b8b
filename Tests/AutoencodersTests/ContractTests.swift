import Contracts
import Core
import Testing

@testable import Autoencoders

/// A catalog entry as a test argument.
struct Member: Sendable, CustomTestStringConvertible {
  let type: any Autoencoder.Type
  var testDescription: String { type.id }
  static let all = Autoencoders.all.map(Member.init)
}

/// The requirements that every autoencoder of the catalog must meet.
@Suite struct ContractTests {
  @Test(arguments: Member.all, AutoencoderRequirement.allCases)
  func everyMember(_ member: Member, meets requirement: AutoencoderRequirement) throws {
    try requirement.check(member.type)
  }

  @Test func idsAreUniqueAndFound() throws {
    #expect(Set(Autoencoders.all.map { $0.id }).count == Autoencoders.all.count)
    for type in Autoencoders.all { #expect(try Autoencoders.named(type.id) == type) }
    #expect(throws: InputError("unknown autoencoder 'keypiont': did you mean 'keypoint'?")) {
      try Autoencoders.named("keypiont")
    }
  }
}
