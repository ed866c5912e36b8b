import Core
import Formats
import Foundation
import Testing

@testable import Tabular

@Suite struct ProblemTests {
  @Test func problemsAreFoundByName() throws {
    for problem in try Problems.all.map({ try $0() }) { #expect(try Problems.named(problem.id) == problem) }
    let error = #expect(throws: InputError.self) { try Problems.named("gridword") }
    #expect(error?.description.contains("gridworld") == true)
  }

  /// With a uniform policy, all chains are ergodic, so that an average reward exists.
  @Test func allNamedProblemsAreErgodic() throws {
    for problem in try Problems.all.map({ try $0() }) {
      let process = problem.process
      let uniform = Array(
        repeating: Array(repeating: 1 / Double(process.actionCount), count: process.actionCount),
        count: process.stateCount)
      #expect(throws: Never.self) { try process.averageReward(of: uniform) }
    }
  }

  @Test func problemsSurviveARoundTrip() throws {
    for problem in try Problems.all.map({ try $0() }) {
      let read = try Problem(json: JSON(parsing: problem.json.description))
      #expect(read.process.stateNames == problem.process.stateNames)
      #expect(read.observed?.observationNames == problem.observed?.observationNames)
      #expect(
        largestDifference(
          read.process.transitions.flatMap { $0.flatMap { $0 } },
          problem.process.transitions.flatMap { $0.flatMap { $0 } }) < 1e-12)
      #expect(read.process.rewards == problem.process.rewards)
    }
  }

  @Test func problemsAreReadFromFiles() throws {
    let path = FileManager.default.temporaryDirectory.appendingPathComponent("problem-\(UUID()).json").path
    defer { try? FileManager.default.removeItem(atPath: path) }
    try writeAtomically(Array(#"{"discount":0.5,"transitions":[[[1]]],"rewards":[[3]]}"#.utf8), to: path)
    let problem = try Problems.named(path)
    #expect(try problem.process.valueIteration().values[0] > 5.999_999)
    #expect(throws: WorldError.self) { try Problems.named(path + ".missing.json") }
    try writeAtomically(Array(#"{"discount":0.5,"#.utf8), to: path)
    let error = #expect(throws: InputError.self) { try Problems.named(path) }
    #expect(error?.description.hasPrefix(path) == true)
  }

  @Test(arguments: [
    ("[]", "JSON object"),
    ("{}", "'transitions' is missing"),
    (#"{"transitions":[],"rewards":[],"discount":0.5}"#, "at least one state"),
    (#"{"transitions":[[]],"rewards":[[]],"discount":0.5}"#, "one action"),
    (#"{"transitions":[[[1]]],"rewards":[[1]]}"#, "'discount'"),
    (#"{"transitions":[[[1]]],"rewards":[[1]],"discount":1.5}"#, "from 0 to 1"),
    (#"{"transitions":[[[1]]],"rewards":[[1]],"discount":"x"}"#, "'discount'"),
    (#"{"transitions":[[[1]]],"rewards":[["x"]],"discount":0.5}"#, "must be a number"),
    (#"{"transitions":[[[1]]],"rewards":[[1,2]],"discount":0.5}"#, "1 actions"),
    (#"{"transitions":[[[1]]],"rewards":[[1e300]],"discount":0.5}"#, "at most 1e100"),
    (#"{"transitions":[[[1]]],"rewards":[[1],[2]],"discount":0.5}"#, "1 states"),
    (#"{"transitions":[[[0.5]]],"rewards":[[1]],"discount":0.5}"#, "add up to 1"),
    (#"{"transitions":[[[1,0]]],"rewards":[[1]],"discount":0.5}"#, "1 numbers"),
    (#"{"transitions":[[[1,0],[1,0]],[[1,0]]],"rewards":[[1,1],[1,1]],"discount":0.5}"#, "each of 2 actions"),
    (#"{"transitions":[[1]],"rewards":[[1]],"discount":0.5}"#, "array of numbers"),
    (#"{"transitions":7,"rewards":[[1]],"discount":0.5}"#, "'transitions'"),
    (#"{"transitions":[[[1]]],"reward":[[1]],"discount":0.5}"#, "did you mean 'rewards'"),
    (#"{"transitions":[[[1]]],"rewards":[[1]],"discount":0.5,"start":[0.5]}"#, "add up to 1"),
    (#"{"transitions":[[[1]]],"rewards":[[1]],"discount":0.5,"states":["a","b"]}"#, "2 names"),
    (#"{"transitions":[[[1]]],"rewards":[[1]],"discount":0.5,"states":[7]}"#, "must be a non-empty string"),
    (#"{"transitions":[[[1]]],"rewards":[[1]],"discount":0.5,"name":"\u001b[2J"}"#, "one line"),
    (#"{"transitions":[[[1]]],"rewards":[[1]],"discount":0.5,"emissions":[]}"#, "emissions"),
    (#"{"transitions":[[[1]]],"rewards":[[1]],"discount":0.5,"emissions":[[0.3]]}"#, "add up to 1"),
    (#"{"transitions":[[[1]]],"rewards":[[1]],"discount":0.5,"observations":["a"]}"#, "'emissions' are missing"),
  ])
  func invalidFilesAreRejected(_ text: String, _ message: String) throws {
    let error = #expect(throws: InputError.self) { try Problem(json: JSON(parsing: text)) }
    #expect(error?.description.contains(message) == true, "\(error?.description ?? "nothing")")
  }

  @Test func tooManyStatesAreRejectedBeforeSolving() {
    let row = JSON.array([.array([])])
    let json: JSON = .object([.init("transitions", .array(Array(repeating: row, count: 1001)))])
    let error = #expect(throws: InputError.self) { try Problem(json: json) }
    #expect(error?.description.contains("too large") == true)
  }
}
