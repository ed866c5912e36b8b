import Foundation
import Testing

@testable import Tabular

/// The map of the notes, `Sources/pixelrl/pixelrl.docc/Equations.md`, is complete and names only existing code.
@Suite struct MapTests {
  /// The notes' equations have the numbers (1.1) to (1.116); the notes themselves are not in the repository.
  private static let equations = 1...116
  /// The sections and lists of the notes that contain algorithms without an equation number.
  private static let algorithms = [
    "1.2.1", "1.2.2", "1.2.3", "1.3", "1.3.3", "1.4.1", "1.4.2", "1.4.3", "1.4.4", "1.4.5", "1.4.5, first list",
    "1.4.5, second list", "1.5", "1.5.1",
  ]
  /// The equations with known errors in the notes.
  private static let corrected = [
    26, 32, 33, 36, 38, 39, 40, 41, 42, 46, 54, 57, 59, 60, 62, 66, 77, 88, 93, 104, 105, 109, 110, 111, 112, 113,
  ]

  private let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent("../..")
    .standardizedFileURL

  private func text(_ path: String) throws -> String {
    try String(contentsOf: root.appendingPathComponent(path), encoding: .utf8)
  }

  private func tests() throws -> String {
    let files = FileManager.default.enumerator(atPath: root.appendingPathComponent("Tests").path)
    return try (files?.compactMap { $0 as? String } ?? []).filter { $0.hasSuffix("Tests.swift") }
      .map { try text("Tests/\($0)") }.joined()
  }

  /// Returns the rows of the table under a heading, each as its cells.
  private func rows(under heading: String) throws -> [[String]] {
    let map = try text("Sources/pixelrl/pixelrl.docc/Equations.md")
    let section = try #require(map.components(separatedBy: "## \(heading)\n").last)
    return try #require(section.components(separatedBy: "\n## ").first).split(separator: "\n")
      .filter { $0.hasPrefix("| ") && !$0.hasPrefix("| notes") && !$0.hasPrefix("| what") }
      .map { $0.split(separator: "|").map { $0.trimmingCharacters(in: .whitespaces) } }
  }

  /// Returns the texts between backticks.
  private func names(_ cell: String) -> [String] {
    cell.split(separator: "`", omittingEmptySubsequences: false).enumerated().filter { $0.offset % 2 == 1 }
      .map { String($0.element) }
  }

  /// Returns the equations in a cell, such as "(1.5) to (1.8), (1.12)".
  private func equations(_ cell: String) -> Set<Int> {
    var found: Set<Int> = []
    let parts = cell.components(separatedBy: "(1.").dropFirst()
    var last = 0
    var isRange = false
    for part in parts {
      guard let end = part.firstIndex(of: ")"), let number = Int(part[..<end]) else { continue }
      found.formUnion(isRange ? last...number : number...number)
      (last, isRange) = (number, part[part.index(after: end)...] == " to ")
    }
    return found
  }

  @Test(arguments: ["Where the equations are", "Beyond the notes"])
  func theMapNamesExistingCode(_ heading: String) throws {
    let (estimators, tests) = (Set(Estimators.all.map(\.id)), try tests())
    let rows = try rows(under: heading)
    #expect(rows.count > 5)
    for row in rows {
      let cells = row.suffix(3).map(names)
      try #require(cells.count == 3 && cells.allSatisfy { !$0.isEmpty }, "\(row)")
      let sources = try cells[0].map { try text("Sources/\($0)") }.joined()
      for name in cells[1] where !estimators.contains(name) {
        let declarations = ["func \(name)(", "func \(name)<", "var \(name):", "var \(name) =", "id = \"\(name)\""]
        #expect(declarations.contains { sources.contains($0) }, "\(name) in \(cells[0])")
      }
      for test in cells[2] {
        #expect(["func \(test)(", "struct \(test) "].contains { tests.contains($0) }, "\(test)")
      }
    }
  }

  @Test func everyEquationIsListed() throws {
    let cells = try rows(under: "Where the equations are").map { $0[0] }
    let found = cells.reduce(into: Set<Int>()) { $0.formUnion(equations($1)) }
    #expect(Set(Self.equations).subtracting(found).sorted() == [])
    #expect(found.subtracting(Self.equations).sorted() == [], "the notes have no such equation")
    for algorithm in Self.algorithms {
      #expect(
        cells.contains { $0 == algorithm || $0.hasPrefix("\(algorithm), (") || $0.hasSuffix(", \(algorithm)") },
        "\(algorithm)")
    }
    let named = try rows(under: "Where the equations are").flatMap { names($0[3]) }
    for estimator in Estimators.all { #expect(named.contains(estimator.id), "\(estimator.id)") }
  }

  @Test func everyKnownErrorIsCorrected() throws {
    let found = try rows(under: "Corrections").reduce(into: Set<Int>()) { $0.formUnion(equations($1[0])) }
    #expect(Set(Self.corrected).subtracting(found).sorted() == [])
  }
}
