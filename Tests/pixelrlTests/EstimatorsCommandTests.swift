import Core
import Formats
import Foundation
import Testing

@testable import pixelrl

@Suite struct EstimatorsCommandTests {
  @Test func writesATableFilesAndJSON() throws {
    try withProgram { pixelrl in
      let done = try pixelrl(
        "estimators", "--problem", "two-state", "--policy", "network", "--trials", "40", "--batch", "2", "--horizon",
        "3",
        "--only", "reinforce,gae-0.9", "--out", "measured", "--json")
      #expect(done.code == 0, "\(done.error)")
      let summary = try JSON(parsing: done.lastLine)
      let rows = try #require(summary["estimators"]?.array)
      #expect(rows.map { $0["estimator"]?.text } == ["reinforce", "gae-0.9"])
      for row in rows {
        let interval = (row["variance_interval"]?.array ?? []).compactMap(\.double)
        try #require(interval.count == 2)
        let variance = try #require(row["variance"]?.double)
        #expect(interval[0] <= variance && variance <= interval[1] && variance > 0)
      }
      let files = try FileManager.default.contentsOfDirectory(atPath: pixelrl.folder + "/measured").sorted()
      #expect(files == ["bias.png", "estimators.json", "estimators.txt", "variance.png"])
      let again = try pixelrl("estimators", "--trials", "3", "--out", "measured")
      #expect(again.code == 64)
    }
  }

  @Test(arguments: [
    (["--problem", "gridword"], "gridworld"), (["--batch", "1"], "--batch"), (["--trials", "99999999999"], "--trials"),
    (["--trials", "2"], "at least 3"),
    (["--horizon", "0"], "horizon"), (["--discount", "2"], "discount"), (["--critic-error", "nan"], "--critic-error"),
    (["--only", ","], "--only"), (["--only", "renforce"], "reinforce"),
  ])
  func wrongInputIsAnError(_ arguments: [String], _ word: String) throws {
    try withProgram { pixelrl in
      let done = try pixelrl.run(["estimators"] + arguments)
      #expect(done.code == 64 && done.errors.count == 1 && done.errors[0].contains(word), "\(done.error)")
    }
  }
}
