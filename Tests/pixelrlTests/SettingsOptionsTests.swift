import ArgumentParser
import Core
import Foundation
import Testing

@testable import pixelrl

/// A command with two sources: a single group, and a catalog whose members share a key.
private struct Probe: ParsableCommand {
  @Argument var name: String
  @Option var seed: Int = 0
  @OptionGroup(title: "Plain") var plain: SettingsOptions<Plain>
  @OptionGroup(title: "Member") var member: SettingsOptions<Members>

  func given() throws -> GivenSettings { try GivenSettings(config: nil, plain.typed, member.typed) }

  enum Plain: SettingsSource { static let groups: [any SettingsGroup.Type] = [Sizes.self] }
  enum Members: SettingsSource {
    static let groups: [any SettingsGroup.Type] = []
    static let members: [(name: String, group: any SettingsGroup.Type)] = [
      ("first", First.self), ("second", Second.self), ("third", Second.self),
    ]
  }

  struct Sizes: SettingsGroup {
    var size = 84
    var fast = false
    static let title = "plain"
    static var fields: [Field<Self>] {
      [Field("size", \.size, 1...1024, "width"), Field("fast", \.fast, "whether fast")]
    }
  }
  struct First: SettingsGroup {
    var hidden = 256
    static let title = "member"
    static var fields: [Field<Self>] { [Field("hidden", \.hidden, 1...65_536, "units of each hidden layer")] }
  }
  struct Second: SettingsGroup {
    var hidden = 128
    var rate = 0.5
    static let title = "member"
    static var fields: [Field<Self>] {
      [
        Field("hidden", \.hidden, 1...65_536, "units of each hidden layer"),
        Field("learning-rate", \.rate, 0...1, "step size"),
      ]
    }
  }
}

@Suite struct SettingsOptionsTests {
  @Test(arguments: [
    ["--size", "32", "who", "--no-fast", "--hidden=512"], ["who", "--hidden", "512", "--size=32", "--no-fast"],
    ["--no-fast", "--seed", "3", "--size", "32", "--hidden", "512", "who"],
  ])
  func flagsCanBeAnywhere(arguments: [String]) throws {
    let probe = try Probe.parse(arguments)
    var fast = Probe.Sizes()
    fast.fast = true
    let sizes = try probe.given().resolve(fast)
    let second: Probe.Second = try probe.given().resolve()
    #expect(probe.name == "who")
    #expect(sizes.size == 32 && !sizes.fast)
    #expect(second.hidden == 512 && second.rate == 0.5)
  }

  @Test func valuesThatAreNotGivenStayUnchanged() throws {
    var sizes = Probe.Sizes()
    sizes.size = 7
    sizes = try Probe.parse(["who", "--fast"]).given().resolve(sizes)
    #expect(sizes.size == 7 && sizes.fast)
  }

  @Test func aSettingOfAnotherMemberIsRefused() throws {
    let probe = try Probe.parse(["who", "--learning-rate", "0.1"])
    let error = #expect(throws: InputError.self) {
      try probe.given().check([Probe.First()], member: (Probe.First(), "the agent first"))
    }
    #expect(error?.description == "the agent first has no --learning-rate; it has --hidden")
  }

  @Test func theErrorAboutAWrongValueHasTheDomain() throws {
    let error = #expect(throws: InputError.self) {
      let _: Probe.Sizes = try Probe.parse(["who", "--size", "big"]).given().resolve()
    }
    #expect(error?.description == "--size takes a whole number from 1 to 1024, not 'big'")
  }

  @Test(arguments: [
    (["who", "--hiden", "3"], "Unknown option '--hiden'. Did you mean '--hidden'?"),
    (["who", "--learning-rat", "3"], "Unknown option '--learning-rat'. Did you mean '--learning-rate'?"),
    (["who", "--size"], "Missing value for '--size <n>'"),
    (["--size", "3"], "Missing expected argument '<name>'"),
  ])
  func mistakesAreNamed(arguments: [String], message: String) {
    let error = #expect(throws: (any Error).self) { try Probe.parse(arguments) }
    guard let error else { return }
    #expect(Probe.message(for: error) == message)
    #expect(Probe.exitCode(for: error).rawValue == 64)
  }

  @Test func helpShowsEachSettingOnceUnderItsTitle() {
    let help = Probe.helpMessage(columns: 300)
    #expect(help.contains("PLAIN:"))
    #expect(
      help.contains(
        "--hidden <n>            units of each hidden layer (default 256; 128 for second, third; a whole number from 1 to"
      ),
      "\(help)")
    #expect(help.contains("step size (default 0.5 for second, third; a number from 0 to 1)"))
    #expect(help.components(separatedBy: "\n  --hidden").count == 2)
    #expect(help.contains("--fast/--no-fast"))
  }
}

@Suite struct CommandTests {
  @Test func everyCommandHasHelpAndUniqueFlags() {
    for command in RootCommand.configuration.subcommands {
      #expect(RootCommand.helpMessage(for: command, columns: 100).contains("USAGE"))
    }
  }

  @Test func failuresHaveTheirCodes() {
    #expect(Failure(InputError("a")).code == 64)
    #expect(Failure(WorldError(path: "p", "b")).code == 1)
    #expect(Failure(WorldError(path: "p", "b")).message == "p: b")
  }

  @Test func columnsAreAligned() {
    #expect(aligned([["a", "bb", "c"], ["aaa", "b", "dd"]]) == ["a    bb  c", "aaa  b   dd"])
  }
}
