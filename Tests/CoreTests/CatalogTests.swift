import Core
import Testing

@Suite struct CatalogTests {
  private let catalog = Catalog(of: "fruit", ["apple", "fig-2"]) { $0 }

  @Test func membersAreAddedAtTheEndAndFound() throws {
    try catalog.add("pear")
    #expect(catalog.all == ["apple", "fig-2", "pear"])
    #expect(try catalog.named("pear") == "pear")
    #expect(throws: InputError("unknown fruit 'pera': did you mean 'pear'?")) { try catalog.named("pera") }
  }

  @Test func aNameIsUsedOnce() throws {
    let taken = "there is a built-in or added fruit 'apple' already: give this one another name"
    #expect(throws: InputError(taken)) { try catalog.add("apple") }
    try catalog.add("pear")
    #expect(throws: InputError.self) { try catalog.add("pear") }
    #expect(catalog.all == ["apple", "fig-2", "pear"])
  }

  @Test(arguments: ["", "Pear", "2-pears", "a pear", "gym:pear", "pear_2"]) func aNameFitsTheCommandLine(_ name: String)
  {
    #expect(throws: InputError.self) { try catalog.add(name) }
    #expect(catalog.all == ["apple", "fig-2"])
  }

  @Test func nothingIsAddedAfterTheCatalogWasRead() async {
    await #expect(processExitsWith: .failure) {
      let catalog = Catalog(of: "fruit", ["apple"]) { $0 }
      _ = catalog.all
      try catalog.add("pear")
    }
  }
}
