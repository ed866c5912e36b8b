import Core
import Formats
import Foundation
import Tensors
import Testing

@testable import Runs

private struct Sample: SettingsGroup {
  var hidden = 256
  static let title = "agent"
  static var fields: [Field<Self>] { [Field("hidden", \.hidden, 1...65_536, "units")] }
}

private func facts(_ command: String = "train", seed: UInt64 = 7) -> RunDirectory.Facts {
  RunDirectory.Facts(
    command: command, environment: "catch", member: "dqn", seed: seed, commandLine: ["pixelrl", command], version: "1")
}

@Suite struct RunDirectoryTests {
  @Test func aRunHasADefaultNameAndItsFiles() throws {
    try withFolder { folder in
      let run = try RunDirectory(at: nil, root: folder, facts(), settings: [Sample()])
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

  /// Reports compare runs by the autoencoder, and a run can find it from another working directory.
  @Test func aRunRecordsItsInputs() throws {
    try withFolder { folder in
      var made = facts()
      made.inputs = [.init(name: "autoencoder", path: "ae", absolutePath: "/x/ae", fingerprint: 0xab)]
      made.autoencoder = ["fingerprint": "ab", "kind": "rae", "settings": ["ae-steps": "7"]]
      let run = try RunDirectory(at: folder + "/a", made, settings: []) { new in
        try makeFolder(new.file("autoencoder"))
        #expect(!exists(folder + "/a"))
      }
      #expect(isFolder(run.file("autoencoder")))
      #expect(try run.facts() == made)
      let json = try run.json("run.json")
      #expect(json["inputs"]?["autoencoder"]?["absolute_path"]?.text == "/x/ae")
      #expect(json["autoencoder"]?["settings"]?["ae-steps"]?.text == "7")
      #expect(try run.facts().threads == Threads.count)
    }
  }

  @Test func anExistingRunIsAnErrorAndKept() throws {
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

  /// The process that works on a run keeps using its folder after a rename, even if another run takes the old name.
  @Test func aRunFollowsItsRenamedFolder() throws {
    try withFolder { folder in
      let run = try RunDirectory(at: folder + "/a", facts(), settings: []).held()
      var log = try RunLog(in: run)
      var checkpoints = try run.checkpoints(kept: 1, settings: 1)
      func save(_ step: Int) throws {
        try log.append(step: step, ["loss": 1])
        try log.evaluation(step: step, returns: [Double(step)], lengths: [1])
        try checkpoints.write(step: step) { try $0.write("part", revision: 1) { [1, 2, 3] } }
        try run.fail(WorldError("x"), step: step)
      }
      try save(1)
      #expect(run.path == folder + "/a")
      try FileManager.default.moveItem(atPath: folder + "/a", toPath: folder + "/b")
      let other = try RunDirectory(at: folder + "/a", facts(), settings: []).held()
      let before = try folderEntries(other.path)
      try save(2)
      #expect(try run.path == absolutePath(folder + "/b") && run.name == "b" && other.path == folder + "/a")
      #expect(try folderEntries(other.path) == before)
      #expect(checkpoints.newest?.step == 2)
      #expect(try folderEntries(run.file("checkpoints")) == ["checkpoint-000002"])
      #expect(try Checkpoint(path: run.file("checkpoints/checkpoint-000002")).bytes(of: "part") == [1, 2, 3])
      #expect(
        try NumPyArchive(path: run.file("evaluations.npz")).array("timesteps", of: Int64.self).elements == [1, 2])
      #expect(try run.json("failure.json")["step"]?.int == 2)
      #expect(try readBytes(from: run.file("metrics.jsonl")).split(separator: 10).count == 4)
    }
  }

  @Test func errorsHaveThePath() throws {
    try withFolder { folder in
      try writeAtomically([1], to: folder + "/file")
      for path in [folder + "/file/run", folder + "/file"] {
        let error = #expect(throws: WorldError.self) { try RunDirectory(at: path, facts(), settings: []) }
        #expect(error?.description.hasPrefix(folder + "/file") == true)
      }
    }
  }

  @Test func theNewestMatchingRunIsFound() throws {
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
    line.note(0, seconds: 0)
    line.note(50_000, seconds: 40)
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

  @Test func plainLinesHaveTheSameContents() {
    #expect(line.plain == "train 50000/100000 50% 1,250/s 0:40 left return 812 loss 0.0132")
    #expect(ProgressLine("x", total: 3).plain == "x 0/3 0% 0/s")
  }

  /// The remaining time uses the rate of the last half minute, without the steps before a resume.
  @Test func theRateIsTheRecentOne() {
    var line = ProgressLine("train", total: 10_000)
    line.note(4000, seconds: 0)
    line.note(4100, seconds: 10)
    #expect(line.rate == 10 && line.remaining == 590)
    // It is slower now: samples older than half a minute do not count.
    for second in stride(from: 20.0, through: 100, by: 10) { line.note(line.done + 10, seconds: second) }
    #expect(line.done == 4190 && line.rate == 1 && line.remaining == 5810)
  }

  @Test func numbersHaveThreeSignificantDigits() {
    #expect(
      [0, 812.4, 1.005, 0.0132, 0.000_012, 1_234_567, -3.14159].map(short)
        == ["0", "812", "1", "0.0132", "1.2e-5", "1.2e6", "-3.14"])
    #expect(short(.nan) == "-")
    #expect([9.5, 1_234.4, 1_234_567].map(grouped) == ["9.5", "1,234", "1,234,567"])
    #expect([0, 42, 723, 11_045].map(clock) == ["0:00", "0:42", "12:03", "3:04:05"])
  }
}
