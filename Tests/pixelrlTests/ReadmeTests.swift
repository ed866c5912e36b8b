import Agents
import Autoencoders
import Environments
import Foundation
import Representations
import Testing

@testable import pixelrl

/// The README and the documentation agree with the program.
@Suite struct ReadmeTests {
  private static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent("../..")
  private static let pages = "Sources/pixelrl/pixelrl.docc"

  private func lines(_ path: String) throws -> [Substring] {
    try String(contentsOf: Self.root.appendingPathComponent(path), encoding: .utf8)
      .split(separator: "\n", omittingEmptySubsequences: false)
  }

  private func documents() throws -> [String] {
    let folder = Self.root.appendingPathComponent(Self.pages).path
    let pages = try FileManager.default.contentsOfDirectory(atPath: folder).filter { $0.hasSuffix(".md") }
    return ["README.md"] + pages.sorted().map { "\(Self.pages)/\($0)" }
  }

  @Test func theFrontPageIsShort() throws { #expect(try lines("README.md").count <= 161) }

  /// Every link to a file has a target, and the README links to every page except the root page of the web site.
  @Test func linksHaveTargets() throws {
    for document in try documents() {
      let folder = Self.root.appendingPathComponent(document).deletingLastPathComponent()
      for line in try lines(document) {
        for match in line.matches(of: /\]\(([^)#]+)\)/) where !match.1.hasPrefix("http") {
          let target = folder.appendingPathComponent(String(match.1)).standardized.path
          #expect(FileManager.default.fileExists(atPath: target), "\(document): \(match.1)")
        }
      }
    }
    let front = try lines("README.md").joined(separator: "\n")
    for page in try documents().dropFirst() where page != "\(Self.pages)/pixelrl.md" {
      #expect(front.contains("](\(page))"), "\(page)")
    }
  }

  /// The page of results is written from the pages of the experiments.
  @Test func theResultsPageIsUpToDate() throws {
    try withProgram { program in
      let script = Self.root.appendingPathComponent("experiments/pages.py").standardizedFileURL.path
      let checked = try program.run(["python3", script, "--check"], of: URL(fileURLWithPath: "/usr/bin/env"))
      #expect(checked.code == 0, "\(checked.error)")
    }
  }

  @Test func theSettingsPageIsUpToDate() throws {
    let lines = try lines("\(Self.pages)/Settings.md")
    let begin = try #require(lines.firstIndex { $0.hasPrefix("<!-- settings: begin") })
    let end = try #require(lines.firstIndex { $0.hasPrefix("<!-- settings: end") })
    let written = lines[(begin + 1)..<end].joined(separator: "\n")
    #expect(written == ListSettings.sections.map(\.markdown).joined(separator: "\n"), "run 'make readme'")
  }

  @Test func everyMemberOfTheCatalogsHasARow() throws {
    let lines = try lines("\(Self.pages)/Members.md") + lines("\(Self.pages)/Places.md")
    let ids =
      Environments.all.map { $0.id } + Autoencoders.all.map { $0.id } + Agents.all.map { $0.id }
      + Places.all.map(\.id)
    for id in ids { #expect(lines.contains { $0.hasPrefix("| `\(id)`") }, "\(id) is missing") }
  }

  @Test func everyCommandIsShown() throws {
    let lines = try lines("\(Self.pages)/Commands.md")
    for command in RootCommand.configuration.subcommands {
      let name = command.configuration.commandName ?? command._commandName
      #expect(lines.contains { $0.contains("pixelrl \(name)") }, "\(name) is missing")
    }
  }
}
