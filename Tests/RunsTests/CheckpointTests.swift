import Core
import Foundation
import Testing

@testable import Runs

private func withFolder(_ body: (String) throws -> Void) throws {
  let folder = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString).path
  defer { try? FileManager.default.removeItem(atPath: folder) }
  try body(folder)
}

private func open(_ folder: String, kept: Int = 3, settings: UInt64 = 7) throws -> Checkpoints {
  try Checkpoints(folder: folder, kept: kept, settings: settings)
}

extension Checkpoints {
  fileprivate mutating func save(_ step: Int, score: Double? = nil, _ text: String = "abc") throws {
    try write(step: step, score: score) { writer in
      try writer.write("a.bin") { Array("\(text) \(step)".utf8) }
      try writer.write("b.bin", revision: 1) { [1, 2, 3] }
    }
  }
}

@Suite struct CheckpointTests {
  @Test func checkpointsRoundTrip() throws {
    try withFolder { folder in
      var checkpoints = try open(folder)
      let none = checkpoints.newest
      #expect(none == nil)
      try checkpoints.save(10)
      try checkpoints.save(20, score: 0.5)
      let again = try open(folder)
      let steps = again.all.map(\.step)
      #expect(steps == [10, 20])
      let found = again.newest
      let newest = try #require(found)
      #expect(try newest.bytes(of: "a.bin") == Array("abc 20".utf8))
      #expect(newest.manifest.score == 0.5)
      let error = #expect(throws: DamagedFile.self) { try newest.bytes(of: "c.bin") }
      #expect(error?.description.contains("c.bin: is missing") == true)
    }
  }

  @Test func theLastAndTheBestAreKept() throws {
    try withFolder { folder in
      var checkpoints = try open(folder, kept: 2)
      for (step, score) in [(1, 0.1), (2, 0.9), (3, 0.3), (4, 0.2), (5, nil)] as [(Int, Double?)] {
        try checkpoints.save(step, score: score)
      }
      let steps = checkpoints.all.map(\.step)
      #expect(steps == [2, 4, 5])
      #expect(try folderEntries(folder).count == 3)
    }
  }

  /// A checkpoint that was written before its evaluation gets the score afterwards, once.
  @Test func aScoreCanComeLater() throws {
    try withFolder { folder in
      var checkpoints = try open(folder, kept: 1)
      for (step, score) in [(1, 0.3), (2, 0.9), (3, 0.1)] {
        try checkpoints.save(step)
        try checkpoints.rate(step: step, score: score)
        try checkpoints.rate(step: step, score: 5)
        try checkpoints.rate(step: step - 1, score: 7)
      }
      let again = try open(folder, kept: 1)
      let scores = again.all.map(\.manifest.score)
      #expect(scores == [0.9, 0.1])
      #expect(try again.all.map { try $0.bytes(of: "a.bin") } == [Array("abc 2".utf8), Array("abc 3".utf8)])
    }
  }

  @Test func aPartOfTheSameRevisionIsLinked() throws {
    try withFolder { folder in
      var checkpoints = try open(folder)
      var written = 0
      for (step, revision) in [(1, 4), (2, 4), (3, 4), (4, 4), (5, 5)] {
        try checkpoints.write(step: step) { writer in
          try writer.write("big.bin", revision: revision) {
            written += 1
            return [UInt8](repeating: UInt8(revision), count: 1000)
          }
        }
      }
      #expect(written == 3, "twice, so that there are two files, and once more after the change")
      let all = checkpoints.all
      #expect(try all.map { try $0.bytes(of: "big.bin")[0] } == [4, 4, 5])
      let linked = checkpoints.cost.bytesLinked
      #expect(linked >= 2000)
    }
  }

  /// For a part that never changes, a flipped byte in any of its files leaves a whole checkpoint.
  @Test(arguments: [1, 2, 3, 4], [[nil], [0.1, 0.9, 0.3, nil, nil, nil], [0.1, 0.1, nil, 0.9, nil]] as [[Double?]])
  func aFaultInALinkedPartLeavesAWholeCheckpoint(_ kept: Int, _ scores: [Double?]) throws {
    try withFolder { folder in
      var checkpoints = try open(folder, kept: kept)
      var (written, saves) = (0, 0)
      for step in 1...10 {
        try checkpoints.write(step: step, score: scores[step % scores.count]) { writer in
          try writer.write("big.bin", revision: 4) {
            written += 1
            return [UInt8](repeating: 7, count: 1000)
          }
        }
        saves += 1
        let all = checkpoints.all
        guard all.count > 1 else { continue }
        let files = try all.map { try Folder(path: $0.path).identity(of: "big.bin") }
        #expect(Set(files).count > 1, "after \(step) checkpoints, \(kept) kept, all have one file")
      }
      #expect(kept == 1 || written < saves, "linked if possible")
    }
  }

  @Test func ifAllAreDamagedNothingIsChanged() throws {
    try withFolder { folder in
      var checkpoints = try open(folder)
      try checkpoints.save(10)
      try checkpoints.save(20)
      let all = checkpoints.all
      for checkpoint in all { try Data("abc 99".utf8).write(to: URL(filePath: "\(checkpoint.path)/a.bin")) }
      let before = try folderEntries(folder)
      for _ in 0..<2 {
        let error = #expect(throws: WorldError.self) { _ = try open(folder) }
        #expect(error?.description.contains("all checkpoints of the run are damaged") == true)
        #expect(error?.description.contains("checkpoint-000002/a.bin: is damaged") == true)
        #expect(try folderEntries(folder) == before)
      }
    }
  }

  /// Changes every byte of every file in three ways, and truncates every file to every shorter length.
  @Test func everyFlippedByteAndEveryTruncationIsDetected() throws {
    try withFolder { folder in
      var checkpoints = try open(folder)
      try checkpoints.save(10)
      let newest = checkpoints.newest
      let path = try #require(newest).path
      var tried = 0
      for name in try folderEntries(path) {
        let file = "\(path)/\(name)"
        let bytes = try readBytes(from: file)
        for i in bytes.indices {
          for damage in [UInt8(1), 0x80, 0xff] {
            var changed = bytes
            changed[i] ^= damage
            try Data(changed).write(to: URL(filePath: file))
            #expect(throws: DamagedFile.self, "\(name), byte \(i)") { try Checkpoint(path: path) }
            tried += 1
          }
          try Data(bytes[..<i]).write(to: URL(filePath: file))
          #expect(throws: DamagedFile.self, "\(name), \(i) bytes") { try Checkpoint(path: path) }
        }
        try Data(bytes + [0]).write(to: URL(filePath: file))
        #expect(throws: DamagedFile.self, "\(name), a byte more") { try Checkpoint(path: path) }
        try Data(bytes).write(to: URL(filePath: file))
        #expect(throws: Never.self) { try Checkpoint(path: path) }
        try FileManager.default.removeItem(atPath: file)
        #expect(throws: DamagedFile.self, "no \(name)") { try Checkpoint(path: path) }
        try Data(bytes).write(to: URL(filePath: file))
      }
      #expect(tried > 600)
    }
  }

  @Test func aDamagedOneIsReportedAndThePreviousOneIsUsed() throws {
    try withFolder { folder in
      var checkpoints = try open(folder)
      try checkpoints.save(10)
      try checkpoints.save(20)
      let newest = checkpoints.newest
      let damaged = "\(try #require(newest).path)/a.bin"
      try Data("abc 21".utf8).write(to: URL(filePath: damaged))
      var again = try open(folder)
      let before = again.newest?.step
      #expect(before == 10)
      let warnings = again.warnings
      #expect(warnings.count == 1)
      #expect(warnings[0].contains("checkpoint-000002/a.bin: is damaged"))
      #expect(warnings[0].contains("renamed to \(folder)/damaged-1-checkpoint-000002"))
      // Its name is free for when the step is reached again.
      try again.save(20)
      let steps = try open(folder).all.map(\.step)
      #expect(steps == [10, 20])
    }
  }

  @Test func leftoversOfAKilledProcessAreRemoved() throws {
    try withFolder { folder in
      var checkpoints = try open(folder)
      try checkpoints.save(10)
      for name in [".partial-77", ".removed-3"] {
        try makeFolder("\(folder)/\(name)")
        try writeAtomically([1], to: "\(folder)/\(name)/a.bin")
      }
      let steps = try open(folder).all.map(\.step)
      #expect(steps == [10])
      #expect(try folderEntries(folder) == ["checkpoint-000001"])
    }
  }

  @Test func aFailureLeavesNothingBehind() throws {
    struct Trouble: Error {}
    try withFolder { folder in
      var checkpoints = try open(folder)
      try checkpoints.save(10)
      #expect(throws: Trouble.self) {
        try checkpoints.write(step: 20) { writer in
          try writer.write("a.bin") { [1] }
          throw Trouble()
        }
      }
      #expect(try folderEntries(folder) == ["checkpoint-000001"])
    }
  }

  @Test func otherSettingsAreAnError() throws {
    try withFolder { folder in
      var checkpoints = try open(folder)
      try checkpoints.save(10)
      let error = #expect(throws: InputError.self) { _ = try open(folder, settings: 8) }
      #expect(error?.description.contains("other settings") == true)
    }
  }
}
