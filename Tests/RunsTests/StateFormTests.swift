import Foundation
import Testing

@testable import Runs

@Suite struct StateFormTests {
  private struct Network: Codable { var actions = 3 }
  private struct History: Codable { var actions: [Float] = [0, 0] }
  private struct State: Codable {
    var network = Network()
    var histories = [History()]
    var updates = 0
  }

  private let form = StateForm(changing: ["histories.actions", "updates"])

  @Test func changingValuesMayDiffer() throws {
    var state = State()
    state.histories[0].actions = [1, -2]
    state.updates = 7
    let bytes = try encoded(state)
    #expect(throws: Never.self) { try form.check(bytes, like: State()) }
  }

  /// A value with the same name as a changing value elsewhere must not change.
  @Test func aQualifiedNameMayChangeOnlyInItsParent() throws {
    var state = State()
    state.network.actions = 4
    let bytes = try encoded(state)
    #expect(throws: DecodingError.self) { try form.check(bytes, like: State()) }
  }

  @Test func countsAndLengthsAreKept() throws {
    for change: (inout State) -> Void in [
      { $0.histories[0].actions = [1] }, { $0.histories[0].actions[0] = .nan }, { $0.histories = [] },
      { $0.updates = -1 },
    ] {
      var state = State()
      change(&state)
      let bytes = try encoded(state)
      #expect(throws: DecodingError.self) { try form.check(bytes, like: State()) }
    }
  }
}
