import Testing

@testable import Core

@Suite struct WholeNumberTests {
  private struct Work: SettingsGroup {
    static let title = "work"
    static var fields: [Field<Self>] { [] }
  }

  @Test(arguments: [
    ("1e5", 100_000), ("2.5e4", 25_000), ("1E3", 1000), ("1e+2", 100), ("7", 7), ("-3e1", -30), ("0e0", 0),
  ])
  func integersMayHaveAnExponent(text: String, number: Int) { #expect(Int(text: text) == number) }

  @Test(arguments: [
    "1.5", "1e-1", "1.25e1", "5.0", "1e", "e5", "1e99", "inf", "nan", "0x1p3", "0x10", "", "1e5 ", "1_000", "1e16",
  ])
  func otherTextsAreRejected(text: String) {
    #expect(Int(text: text) == nil && UInt64(text: text) == nil)
  }

  @Test func settingIsRecordedInDigits() throws {
    var seed = SeedChoice<Work>()
    try seed.set("seed", to: "1e3")
    #expect(seed.record.map(\.text) == ["1000"])
    #expect(throws: InputError.self) { try seed.set("seed", to: "-1e3") }
  }
}

@Suite struct AliasTests {
  @Test func errorsSuggestOurNames() {
    #expect(
      InputError.unknown("agent", "a2c", known: ["sac", "actor-critic"]).description
        == "unknown agent 'a2c': did you mean 'actor-critic'?")
    #expect(InputError.alias("batch_size", among: ["ae-batch", "size"]) == "ae-batch")
    #expect(InputError.alias("LR", among: ["size"]) == nil)
    // No name maps to itself.
    for (theirs, ours) in Aliases.all { #expect(!ours.contains(theirs) && !ours.isEmpty, "\(theirs)") }
  }
}
