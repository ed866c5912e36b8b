import Core
import Formats
import Foundation
import Testing

@testable import Runs

@Suite struct EventLogTests {
  /// A file has the version, the description and the records. The file of a resumed run starts with the step after its
  /// checkpoint.
  @Test func filesFollowEachOther() throws {
    try withFolder { folder in
      let run = try sampleRun(in: folder)
      let position: RunLog.Position
      do {
        var log = try RunLog(in: run)
        try appendSteps(&log, 1...10)
        position = log.position
        try appendSteps(&log, 11...20)
      }
      let first = run.file(try #require(eventFiles(of: run).first))
      let whole = try readBytes(from: first)
      do { _ = try RunLog(in: run, from: position, step: 10) }
      let files = try eventFiles(of: run)
      #expect(run.file(files[0]) == first && files.count == 2)
      let kept = try readBytes(from: first)
      #expect(kept == Array(whole.prefix(kept.count)) && kept.count < whole.count)
      let records = try records(of: readBytes(from: run.file(files[1])))
      #expect(records.count == 2)
      #expect(records[0].suffix(13) == Array("brain.Event:2".utf8))
      #expect(records[1].suffix(6) == [16, 11, 58, 2, 8, 1])
    }
  }

  /// The messages of a file of short records. Checks their framing.
  private func records(of bytes: [UInt8]) throws -> [[UInt8]] {
    var records: [[UInt8]] = []
    var rest = bytes[...]
    while !rest.isEmpty {
      let count = Int(try #require(rest.first))
      let record = Array(rest.dropFirst(12).prefix(count))
      try #require(Array(rest.prefix(16 + count)) == TFRecord.bytes(of: record))
      records.append(record)
      rest = rest.dropFirst(16 + count)
    }
    return records
  }
}
