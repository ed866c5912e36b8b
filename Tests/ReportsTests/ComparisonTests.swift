import Core
import Runs
import Testing

@testable import Reports

@Suite struct ComparisonTests {
  /// The runs of an experiment with two arms of three seeds; the runs of one arm have an autoencoder next to them.
  private func experiment(_ folder: RunFolder) throws {
    for seed in 0..<3 {
      try folder.run("x/good-\(seed)", seed: seed, returns: [10 + Double(seed)], settings: "agent:\n  hidden: 1\n")
      try folder.run("x/bad-\(seed)", seed: seed, returns: [Double(seed)], settings: "agent:\n  hidden: 2\n")
      try folder.run("x/good-\(seed)-ae", seed: seed)
    }
  }

  @Test func anExperimentsRunsAreGroupedByArm() throws {
    try RunFolder.with { folder in
      try makeFolder(folder.root + "/x")
      try experiment(folder)
      let comparison = try Comparison(of: [RunSelection(parsing: folder.root + "/x")])
      #expect(comparison.leftOut.count == 3)
      let table = try #require(comparison.tables.first)
      #expect(comparison.tables.count == 1 && table.entries.map(\.name) == ["bad", "good"])
      #expect(table.entries[1].estimates.map(\.value) == [11, 11, 11])
      #expect(table.improvement(of: 1, over: 0)?.value == 1)
    }
  }

  @Test func namesAndPatternsMakeGroups() throws {
    try RunFolder.with { folder in
      try makeFolder(folder.root + "/x")
      try experiment(folder)
      let named = try RunSelection(
        parsing: "all=\(folder.root)/x/good-[01],\(folder.root)/x/bad-2,\(folder.root)/x/bad-2")
      #expect(named.name == "all" && named.runs.map(\.name) == ["good-0", "good-1", "bad-2"])
      #expect(throws: InputError.self) { try RunSelection(parsing: "\(folder.root)/nothing-*") }
      #expect(throws: InputError.self) { try RunSelection(parsing: "=\(folder.root)/x") }
      #expect(throws: InputError.self) { try RunSelection(parsing: "a=") }
      #expect(throws: InputError.self) { try Comparison(of: [named, named]) }
      let mixed = try Comparison(
        of: [RunSelection(parsing: "good=\(folder.root)/x/bad-*"), RunSelection(parsing: "\(folder.root)/x/good-[01]")])
      #expect(Set(mixed.groups.map(\.name)).count == 2, "group names are unique")
    }
  }

  /// However many selections find it; and not in its own group if it is in a named one.
  @Test func eachRunCountsOnce() throws {
    try RunFolder.with { folder in
      try makeFolder(folder.root + "/x")
      try experiment(folder)
      let x = folder.root + "/x"
      let texts = [x, x + "/good-*", "\(x)/good-0/"]
      let comparison = try Comparison(of: RunSelection.all(parsing: texts))
      #expect(comparison.groups.map(\.runs.count) == [3, 3])
      let named = try Comparison(of: RunSelection.all(parsing: [x, "one=\(x)/good-0"]))
      #expect(named.groups.first { $0.name == "one" }?.runs.map(\.name) == ["good-0"])
      #expect(named.groups.map(\.runs.count).sorted() == [1, 2, 3])
    }
  }

  @Test func aPathMayHaveACommaAndAnEqualsSign() throws {
    try RunFolder.with { folder in
      try folder.run("lr=0.1,h=2", returns: [1])
      #expect(try RunSelection.runs(at: [folder.root + "/lr=0.1,h=2"]).map(\.name) == ["lr=0.1,h=2"])
      #expect(try RunSelection(parsing: "a=\(folder.root)/lr=0.1,h=2").runs.count == 1)
    }
  }

  /// They are no numbers to compare: their differences would overflow.
  @Test func endlessReturnsAreLeftOut() throws {
    try RunFolder.with { folder in
      for (name, value) in [("a-0", 1e308), ("a-1", -1e308), ("b-0", 2)] { try folder.run(name, returns: [value]) }
      let comparison = try Comparison(of: [RunSelection(parsing: folder.root)])
      #expect(comparison.leftOut == ["a-0", "a-1"] && comparison.groups.map(\.scores) == [[2]])
    }
  }

  @Test func environmentsAreComparedSeparatelyAndTogether() throws {
    try RunFolder.with { folder in
      for (name, offset) in [("a", 0.0), ("b", 1)] {
        for environment in ["catch", "pendulum"] {
          for seed in 0..<2 {
            try folder.run(
              "\(name)-\(environment)-\(seed)", environment: environment, seed: seed, returns: [Double(seed) + offset])
          }
        }
      }
      let comparison = try Comparison(
        of: ["a", "b"].map { try RunSelection(parsing: "\($0)=\(folder.root)/\($0)-*") })
      #expect(comparison.tables.map(\.environments) == [["catch"], ["pendulum"], ["catch", "pendulum"]])
      let together = comparison.tables[2]
      #expect(together.improvement(of: 1, over: 0)?.value == 0.875)
      #expect(together.entries.map(\.runCount) == [4, 4])
      let page = comparison.html()
      #expect(page.contains("All 2 environments") && page.contains("0.875"))
      let files = try comparison.write(to: folder.root + "/page.html")
      #expect(files.count == 1 + 2 * 5 + 2)
    }
  }

  @Test func runsWithoutAReturnAreAnError() throws {
    try RunFolder.with { folder in
      try folder.run("a")
      #expect(throws: InputError.self) { try Comparison(of: [RunSelection(parsing: folder.root)]) }
    }
  }
}
