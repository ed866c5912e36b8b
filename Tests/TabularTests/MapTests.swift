import Foundation
import Testing

@testable import Tabular

/// The map of equations names what is there.
@Suite struct MapTests {
  private let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent("../..")
    .standardizedFileURL

  private func text(of folder: String) throws -> (names: Set<String>, contents: String) {
    var (names, contents) = (Set<String>(), "")
    let files = FileManager.default.enumerator(atPath: root.appendingPathComponent(folder).path)
    while let file = files?.nextObject() as? String {
      guard file.hasSuffix(".swift") else { continue }
      names.insert((file as NSString).lastPathComponent)
      contents += try String(contentsOf: root.appendingPathComponent(folder + "/" + file), encoding: .utf8)
    }
    return (names, contents)
  }

  @Test func theMapNamesWhatIsThere() throws {
    let map = try String(contentsOf: root.appendingPathComponent("experiments/estimators/README.md"), encoding: .utf8)
    let section = try #require(map.components(separatedBy: "## Where the equations are").last)
    let rows = try #require(section.components(separatedBy: "## Corrections").first).split(separator: "\n")
      .filter { $0.hasPrefix("| (") || $0.hasPrefix("| 1.") }
    #expect(rows.count > 30)
    let (sources, tests) = (try text(of: "Sources/Tabular"), try text(of: "Tests/TabularTests"))
    let estimators = Set(Estimators.all.map(\.id))
    for row in rows {
      let cells = row.split(separator: "|").map { cell in
        cell.split(separator: "`").enumerated().filter { $0.offset % 2 == 1 }.map { String($0.element) }
      }
      try #require(cells.count == 5, "\(row)")
      for file in cells[2] { #expect(sources.names.contains(file), "\(file)") }
      for name in cells[3] where !estimators.contains(name) {
        let isThere = ["func \(name)(", "var \(name):"].contains { sources.contents.contains($0) }
        #expect(isThere, "\(name)")
      }
      for test in cells[4] {
        #expect(["func \(test)(", "struct \(test) "].contains { tests.contents.contains($0) }, "\(test)")
      }
    }
    for id in estimators { #expect(section.contains("`\(id)`"), "\(id)") }
  }
}
