import Testing

@testable import Agents

/// A catalog entry as a test argument.
struct Member: Sendable, CustomTestStringConvertible {
  let type: any Agent.Type
  var testDescription: String { type.id }
  static let all = Agents.all.map(Member.init)
}
