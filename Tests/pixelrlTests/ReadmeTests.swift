import Agents
import Autoencoders
import Environments
import Foundation
import Testing

@testable import pixelrl

/// The README says what the program says.
@Suite struct ReadmeTests {
  private let lines: [Substring]

  init() throws {
    let path = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent("../../README.md")
    lines = try String(contentsOf: path, encoding: .utf8).split(separator: "\n", omittingEmptySubsequences: false)
  }

  @Test func theSettingsAreTheProgramsOwn() throws {
    let begin = try #require(lines.firstIndex { $0.hasPrefix("<!-- settings: begin") })
    let end = try #require(lines.firstIndex { $0.hasPrefix("<!-- settings: end") })
    let written = lines[(begin + 1)..<end].joined(separator: "\n")
    #expect(written == ListSettings.sections.map(\.markdown).joined(separator: "\n"), "run 'make readme'")
  }

  @Test func everyMemberOfTheCatalogsHasItsRow() {
    let ids = Environments.all.map { $0.id } + Autoencoders.all.map { $0.id } + Agents.all.map { $0.id }
    for id in ids { #expect(lines.contains { $0.hasPrefix("| `\(id)`") }, "\(id) is missing") }
  }

  @Test func everyCommandIsShown() {
    for command in PixelRL.configuration.subcommands {
      let name = command.configuration.commandName ?? command._commandName
      #expect(lines.contains { $0.contains("pixelrl \(name)") }, "\(name) is missing")
    }
  }
}
