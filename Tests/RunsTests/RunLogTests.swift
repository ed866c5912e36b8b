import Core
import Formats
import Foundation
import Pixels
import Testing

@testable import Runs

private struct Sample: SettingsGroup {
  var hidden = 256
  var norm = true
  static let title = "agent"
  static var fields: [Field<Self>] {
    [Field("hidden", \.hidden, 1...65_536, "units"), Field("norm", \.norm, "layer norm")]
  }
}

/// Makes a new run in a folder.
func sampleRun(in folder: String) throws -> RunDirectory {
  let facts = RunDirectory.Facts(
    command: "train", environment: "catch", member: "dqn", seed: 7, commandLine: ["pixelrl", "train"], version: "1",
    why: "to see")
  return try RunDirectory(at: folder + "/run", facts, settings: [Sample()])
}

/// Logs a range of steps: an episode at each step, metrics at every tenth, an evaluation and an image at every
/// twentieth.
func appendSteps(_ log: inout RunLog, _ steps: ClosedRange<Int>) throws {
  for step in steps {
    try log.episode(return: Double(step) / 4, length: 9, step: step)
    if step % 10 == 0 { try log.append(step: step, ["loss": 1 / Double(step), "return": .nan]) }
    if step % 20 == 0 {
      try log.evaluation(step: step, returns: [Double(step), 0, -0.5], lengths: [step, 2, 1])
      try log.image("reconstructions", step: step, PixelBuffer(width: 3, height: 2, format: .rgb))
    }
  }
}

/// The sorted names of the event files.
func eventFiles(of run: RunDirectory) throws -> [String] {
  try folderEntries(run.path).filter { $0.contains("tfevents") }
}

@Suite struct RunLogTests {
  /// A run that is truncated to its checkpoint and resumed has the same files as an uninterrupted run, except the times
  /// in `monitor.csv`.
  @Test func aResumedRunHasTheSameLines() throws {
    try withFolder { folder in
      let (whole, cut) = (try sampleRun(in: folder + "/a"), try sampleRun(in: folder + "/b"))
      do {
        var log = try RunLog(in: whole)
        try appendSteps(&log, 1...60)
      }
      for kept in [5, 25, 45] {
        var saved: RunLog.Position?
        do {
          var log = try RunLog(in: cut)
          try appendSteps(&log, 1...kept)
          try log.synchronize()
          saved = log.position
          try appendSteps(&log, kept + 1...kept + 21)
        }
        // The first attempt to resume is killed too, before it writes a checkpoint.
        let data = try JSONEncoder().encode(#require(saved))
        for last in [kept + 10, 60] {
          let position = try JSONDecoder().decode(RunLog.Position.self, from: data)
          var log = try RunLog(in: cut, from: position, step: kept)
          try appendSteps(&log, kept + 1...last)
        }
        for name in ["metrics.jsonl", "scores.jsonl", "evaluations.npz"] {
          #expect(try readBytes(from: cut.file(name)) == readBytes(from: whole.file(name)), "\(name) after \(kept)")
        }
        #expect(try monitor(cut) == monitor(whole))
        #expect(try eventFiles(of: cut).count == 2)
      }
    }
  }

  private func monitor(_ run: RunDirectory) throws -> [String] {
    let lines = String(decoding: try readBytes(from: run.file("monitor.csv")), as: UTF8.self).split(separator: "\n")
    #expect(lines[0].hasPrefix("#{\"t_start\":") && lines[0].hasSuffix(",\"env_id\":\"catch\"}"))
    return lines.dropFirst().map { $0.split(separator: ",").dropLast().joined(separator: ",") }
  }

  @Test func aRunWithoutEpisodesHasNoEpisodeFiles() throws {
    try withFolder { folder in
      let run = try sampleRun(in: folder)
      var log = try RunLog(in: run)
      try log.append(step: 1, ["loss": 1])
      try log.synchronize()
      let events = try eventFiles(of: run)
      #expect(try folderEntries(run.path) == events + ["metrics.jsonl", "run.json", "settings.yaml"])
    }
  }

  /// A log file that is shorter than at the checkpoint is an error.
  @Test(arguments: ["metrics.jsonl", "monitor.csv", "scores.jsonl", "evaluations.npz"])
  func aTruncatedFileIsAnError(name: String) throws {
    try withFolder { folder in
      let run = try sampleRun(in: folder)
      let position: RunLog.Position
      do {
        var log = try RunLog(in: run)
        try appendSteps(&log, 1...20)
        position = log.position
      }
      let bytes = try readBytes(from: run.file(name))
      try writeAtomically(Array(bytes.dropLast()), to: run.file(name))
      let error = #expect(throws: WorldError.self) { _ = try RunLog(in: run, from: position, step: 20) }
      #expect(error?.description.hasPrefix(run.file(name)) == true)
      #expect(try readBytes(from: run.file(name)).count == bytes.count - 1)
    }
  }

  /// A log file that was removed restarts, and does not stop the run.
  @Test(arguments: ["metrics.jsonl", "monitor.csv", "scores.jsonl", "evaluations.npz", "events"])
  func aMissingFileRestarts(name: String) throws {
    try withFolder { folder in
      let run = try sampleRun(in: folder)
      var position: RunLog.Position
      do {
        var log = try RunLog(in: run)
        try appendSteps(&log, 1...20)
        position = log.position
      }
      let file = name == "events" ? try #require(try eventFiles(of: run).first) : name
      try FileManager.default.removeItem(atPath: run.file(file))
      for last in [40, 60] {  // the position of the resumed log is valid too
        var log = try RunLog(in: run, from: position, step: last - 20)
        let expected = last == 40 ? ["\(run.file(file)) is missing: it restarts after step 20"] : []
        #expect(log.notes == expected)
        try appendSteps(&log, last - 19...last)
        position = log.position
      }
      let text = { try String(contentsOfFile: run.file($0), encoding: .utf8).split(separator: "\n") }
      let monitor = try text("monitor.csv")
      #expect(monitor[0].hasPrefix("#{") && monitor[1] == "r,l,t" && monitor.count == (name == "monitor.csv" ? 42 : 62))
      #expect(try text("scores.jsonl").count == (name == "scores.jsonl" ? 40 : 60))
      #expect(try text("metrics.jsonl").count == (name == "metrics.jsonl" ? 6 : 9))
      let evaluations = try NumPyArchive(path: run.file("evaluations.npz")).array("timesteps", of: Int64.self)
      #expect(evaluations.elements == (name == "evaluations.npz" ? [40, 60] : [20, 40, 60]))
    }
  }

  @Test func evaluationsKeepEveryEpisode() throws {
    try withFolder { folder in
      let run = try sampleRun(in: folder)
      var log = try RunLog(in: run)
      try appendSteps(&log, 1...40)
      let archive = try NumPyArchive(path: run.file("evaluations.npz"))
      #expect(archive.names == ["timesteps", "results", "ep_lengths"])
      #expect(try archive.array("timesteps", of: Int64.self) == ([20, 40], [2]))
      #expect(try archive.array("results", of: Double.self) == ([20, 0, -0.5, 40, 0, -0.5], [2, 3]))
      #expect(try archive.array("ep_lengths", of: Int64.self) == ([20, 2, 1, 40, 2, 1], [2, 3]))
      let lines = String(decoding: try readBytes(from: run.file("metrics.jsonl")), as: UTF8.self).split(separator: "\n")
      #expect(lines[0] == "{\"step\":10,\"loss\":0.1,\"return\":null}")
      #expect(lines[2] == "{\"step\":20,\"evaluation/return\":6.5,\"evaluation/deviation\":9.548123724935003}")
    }
  }
}

private func == <A: Equatable>(a: (elements: [A], shape: [Int]), b: ([A], [Int])) -> Bool {
  a.elements == b.0 && a.shape == b.1
}
