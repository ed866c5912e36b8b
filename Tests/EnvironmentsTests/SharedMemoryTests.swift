import Core
import Foundation
import Testing

@testable import Environments

@Suite struct SharedMemoryTests {
  @Test func itsSizeIsSealed() throws {
    let memory = try SharedMemory()
    _ = unsafe try memory.reserve(10_000)
    memory.store(7, at: 9000)
    for size in [0, 5000, 20_000] { #expect(ftruncate(memory.file.number, size) != 0) }
    #expect(memory.load(Int.self, at: 9000) == 7 && memory.load(Int.self, at: 0) == 0)
  }

  @Test func theErrorReportsTheAvailableMemory() throws {
    let memory = try SharedMemory()
    let error = #expect(throws: WorldError.self) { _ = unsafe try memory.reserve(10_000, of: 9999) }
    #expect(error?.description.hasPrefix("cannot allocate 10000 bytes of memory") == true)
    #expect(error?.description.contains("only 9999 are available") == true)
    let all = sysconf(Int32(_SC_PHYS_PAGES)) * sysconf(Int32(_SC_PAGESIZE))
    #expect((1 << 20...all).contains(SharedMemory.available))
  }

  @Test func aFileInMemoryIsReadFromItsStart() throws {
    let file = try Descriptor.memory(holding: Array("some words".utf8))
    var bytes = [UInt8](repeating: 0, count: 20)
    let count = unsafe read(file.number, &bytes, 20)
    #expect(count == 10 && bytes.starts(with: "some words".utf8))
  }
}

@Suite struct GymFactsTests {
  private func answer(_ change: (String) -> String = { $0 }) -> String {
    change(
      """
      {"actions": {"low": [0], "high": [1]}, "observation": 2, "height": 3, "width": 4, "channels": 3, "places": 4, \
      "time_limit": null, "repeats": 1, "atari": false, "undrawn": ""}
      """)
  }

  @Test func factsAreRead() throws {
    let facts = try GymFacts(answer(), of: "gym:x")
    #expect(facts.observationNames == ["observation-0", "observation-1"] && facts.timeLimit == 10_000)
    #expect(!facts.declaresTimeLimit)
    #expect(facts.memoryCount == 64 + 4 * 192)
  }

  /// Any program may have written to the socket. Invalid answers must not crash this one.
  @Test(arguments: [
    ("\"repeats\": 1", "\"repeats\": 0"), ("\"places\": 4", "\"places\": 3"), ("[0]", "[2]"), ("[0]", "[]"),
    ("[0]", "[0, 0]"), ("\"width\": 4", "\"width\": -4"), ("\"width\": 4", "\"width\": 400000"),
    ("\"channels\": 3", "\"channels\": 7"), ("\"observation\": 2", "\"observation\": -1"), ("{", "\u{1B}[2J"),
    ("\"low\": [0]", "\"count\": 0, \"low\": [0]"),
  ])
  func invalidAnswersAreErrors(_ part: String, _ other: String) {
    let text = answer { $0.replacing(part, with: other, maxReplacements: 1) }
    let error = #expect(throws: WorldError.self) { try GymFacts(text, of: "gym:x") }
    #expect(error?.description.contains("\u{1B}") == false)
  }

  @Test func timeLimitsAreClamped() throws {
    for (limit, expected) in [("0", 1), ("-5", 1), ("7", 7), ("9000000000000000000", 1 << 40)] {
      let text = answer { $0.replacing("null", with: limit) }
      #expect(try GymFacts(text, of: "gym:x").timeLimit == expected)
    }
  }

  @Test func theFlagExtendsTheStartingTime() {
    #expect(
      GymProcess.startingTime(timeout: 60) == .seconds(120) && GymProcess.startingTime(timeout: 600) == .seconds(600))
  }
}
