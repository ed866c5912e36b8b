import Core
import Foundation
import Testing

@testable import Runs

private struct Sample: SettingsGroup {
  var hidden = 256
  static var fields: [Field<Self>] { [Field("hidden", \.hidden, 1...65_536, "units")] }
}

private func facts(_ command: String = "train", seed: UInt64 = 7) -> RunDirectory.Facts {
  RunDirectory.Facts(
    command: command, environment: "catch", member: "dqn", seed: seed, commandLine: ["pixelrl", command], version: "1")
}

@Suite struct RunDirectoryTests {
  @Test func aRunNamesAndDescribesItself() throws {
    try withFolder { folder in
      let run = try RunDirectory(at: nil, root: folder, facts(), settings: [("agent", Sample())])
      #expect(run.path.wholeMatch(of: /.*\/\d{8}-\d{6}-train-catch-dqn-s7/) != nil)
      #expect(try run.settings()["agent"]?.entries.map(\.text) == ["256"])
      #expect(try run.json("run.json")["seed"]?.int == 7)
      #expect(try run.json("run.json")["host"]?["processors"]?.int ?? 0 > 0)
      #expect(!run.isFinished)
      try run.finish(["return_mean": 812.5])
      #expect(run.isFinished)
      #expect(try run.json("summary.json")["return_mean"]?.double == 812.5)
    }
  }

  @Test func anExistingRunIsRefusedAndKept() throws {
    try withFolder { folder in
      let run = try RunDirectory(at: folder + "/a", facts(), settings: [])
      let before = try folderEntries(run.path)
      let error = #expect(throws: InputError.self) { try RunDirectory(at: folder + "/a", facts(), settings: []) }
      #expect(error?.description.contains("--out") == true)
      #expect(try folderEntries(run.path) == before)
      try makeFolder(folder + "/empty")
      #expect(throws: Never.self) { try RunDirectory(at: folder + "/empty", facts(), settings: []) }
    }
  }

  @Test func aWorldThatRefusesIsNamed() throws {
    try withFolder { folder in
      try writeAtomically([1], to: folder + "/file")
      for path in [folder + "/file/run", folder + "/file"] {
        let error = #expect(throws: WorldError.self) { try RunDirectory(at: path, facts(), settings: []) }
        #expect(error?.description.hasPrefix(folder + "/file") == true)
      }
    }
  }

  @Test func theNewestFittingRunIsFound() throws {
    try withFolder { folder in
      #expect(try RunDirectory.newest(in: folder + "/none") { _, _ in true } == nil)
      _ = try RunDirectory(at: folder + "/z", facts(seed: 1), settings: [])
      let second = try RunDirectory(at: folder + "/y", facts(seed: 2), settings: [])
      let other = try RunDirectory(at: folder + "/x", facts("pretrain-ae", seed: 3), settings: [])
      try makeFolder(folder + "/broken")
      try writeAtomically(Array("{".utf8), to: folder + "/broken/run.json")
      #expect(try RunDirectory.newest(in: folder) { _, facts in facts.command == "train" } == second)
      #expect(try RunDirectory.newest(in: folder) { _, _ in true } == other)
      #expect(try RunDirectory.newest(in: folder) { run, _ in run.isFinished } == nil)
    }
  }
}

@Suite struct MetricsLogTests {
  @Test func linesAreWholeAndResumable() throws {
    try withFolder { folder in
      let path = folder + "/metrics.jsonl"
      var offset = 0
      do {
        var log = try MetricsLog(path: path)
        try log.append(step: 1, ["return": 0.5, "loss": .nan])
        offset = log.byteCount
        try log.append(step: 2, ["return": 1])
        try log.synchronize()
      }
      var log = try MetricsLog(path: path, offset: offset)
      try log.append(step: 3, ["return": .infinity])
      let lines = String(decoding: try readBytes(from: path), as: UTF8.self).split(separator: "\n")
      #expect(lines == [#"{"step":1,"return":0.5,"loss":null}"#, #"{"step":3,"return":null}"#])
    }
  }

  #if os(Linux)
    @Test func aFullDiskIsAnErrorWithThePath() throws {
      try withFolder { folder in
        let path = folder + "/metrics.jsonl"
        try FileManager.default.createSymbolicLink(atPath: path, withDestinationPath: "/dev/full")
        let error = #expect(throws: WorldError.self) {
          var log = try MetricsLog(path: path)
          try log.append(step: 1, ["a": 1])
        }
        #expect(error?.description.hasPrefix(path) == true)
      }
    }
  #endif
}

@Suite struct ProgressTests {
  private var line: ProgressLine {
    var line = ProgressLine("train", total: 100_000)
    line.done = 50_000
    line.seconds = 40
    line.metrics = ["return": 812.4, "loss": 0.01319]
    return line
  }

  @Test func theBarFitsEveryWidth() {
    #expect(
      line.bar(width: 100)
        == "train [###############---------------] 50% 1,250/s 0:40 left  return 812  loss 0.0132")
    for width in 0...120 { #expect(line.bar(width: width).count <= width) }
    #expect(line.bar(width: 60).contains("return 812"))
    #expect(!line.bar(width: 60).contains("loss"))
  }

  @Test func plainLinesSayTheSame() {
    #expect(line.plain == "train 50000/100000 50% 1,250/s 0:40 left return 812 loss 0.0132")
    #expect(ProgressLine("x", total: 3).plain == "x 0/3 0% 0/s")
  }

  @Test func numbersAreShort() {
    #expect(
      [0, 812.4, 1.005, 0.0132, 0.000_012, 1_234_567, -3.14159].map(short)
        == ["0", "812", "1", "0.0132", "1.2e-5", "1.2e6", "-3.14"])
    #expect(short(.nan) == "nan")
    #expect([9.5, 1_234.4, 1_234_567].map(grouped) == ["9.5", "1,234", "1,234,567"])
    #expect([0, 42, 723, 11_045].map(clock) == ["0:00", "0:42", "12:03", "3:04:05"])
  }
}
