import Core
import Foundation
import Testing

@testable import Reports

@Suite struct MetricsTests {
  private func table(_ text: String) throws -> MetricsTable {
    var table = MetricsTable()
    try RunFolder.with { folder in
      try writeAtomically(Array(text.utf8), to: folder.root + "/m")
      table = try MetricsTable(path: folder.root + "/m")
    }
    return table
  }

  @Test func fastAndStrictParsingAgree() throws {
    let lines = [
      #"{"step":1,"a":0.5,"b":-1e-3}"#, #"{"a":2,"step":2}"#, #"{ "step" : 3, "a" : 7 }"#,
      #"{"step":4,"a":null,"c":1}"#,
      #"{"step":5,"é":1,"a\"b":2}"#, #"{"step":6,"a":"text","b":[1]}"#,
    ]
    let table = try table(lines.joined(separator: "\n") + "\n")
    #expect(table.damagedCount == 0 && table.lineCount == 6)
    #expect(table.names == ["a", "b", "c", "é", "a\"b"])
    #expect(table["a"]?.points.map(\.x) == [1, 2, 3, 4])
    #expect(table["a"]?.points.map(\.y).prefix(3) == [0.5, 2, 7])
    #expect(table["a"]?.points[3].y.isNaN == true && table["a"]?.last == 7)
    #expect(table["b"]?.points.map(\.y) == [-0.001])
  }

  @Test(arguments: [
    #"{"step":1,"a":+1}"#, #"{"step":1,"a":inf}"#, #"{"step":1,"a":0x1}"#, #"{"step":1,"a":1,"a":2}"#, #"{"a":1}"#,
    #"{"step":null}"#, #"{"step":1"#, #"{"step":1}}"#, #"{"step":1,}"#, "[1]", "nonsense", #"{"step":1,"a":1e999}"#,
  ])
  func damagedLinesAreCounted(_ line: String) throws {
    let table = try table(line + "\n" + #"{"step":2,"a":3}"# + "\n")
    #expect(table.damagedLines == [1])
    #expect(table["a"]?.points.map(\.y) == [3])
  }

  @Test func aLineWithoutANewlineIsNotDamaged() throws {
    let table = try table(#"{"step":1,"a":1}"# + "\n" + #"{"step":2,"a":1"#)
    #expect(table.damagedCount == 0 && table["a"]?.count == 1)
  }

  @Test func longRunsAreThinnedToTheirMeanAndRange() throws {
    var series = ThinnedSeries()
    for step in 0..<100_000 { series.append(step: Double(step), step == 77_777 ? 500 : step == 5 ? .nan : 1) }
    #expect(series.bins.count <= 2 * ThinnedSeries.limit && series.bins.count >= ThinnedSeries.limit / 2)
    #expect(series.count == 100_000 && series.bins.reduce(0) { $0 + $1.count } == 100_000)
    #expect(series.bins.map(\.high).max() == 500 && series.bins.map(\.low).min() == 1)
    #expect(abs(series.bins[0].mean - 1) < 1e-12, "NaN is left out of the mean")
    #expect(series.bins.map(\.step) == series.bins.map(\.step).sorted())
    #expect(series.tail == [1, 1, 1])
  }
}
