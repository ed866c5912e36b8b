import Core
import Foundation
import Testing

@testable import Runs

@Suite struct EventLogTests {
  /// The records that TensorBoard 2.21's own `RecordWriter` makes of `Event(wall_time=1.5, step=300,
  /// summary=Summary(value=[Value(tag="loss", simple_value=0.25)]))` and of `Event(wall_time=0.5, step=-1,
  /// session_log=SessionLog(status=START))`.
  @Test func recordsAreGolden() {
    let scalar: [ProtobufField] = [
      .double(1, 1.5), .integer(2, 300), .message(5, [.message(1, [.string(1, "loss"), .float(2, 0.25)])]),
    ]
    #expect(
      EventLog.record(ProtobufField.encode(scalar)) == [
        27, 0, 0, 0, 0, 0, 0, 0, 26, 13, 158, 19, 9, 0, 0, 0, 0, 0, 0, 248, 63, 16, 172, 2, 42, 13, 10, 11, 10, 4, 108,
        111, 115, 115, 21, 0, 0, 128, 62, 153, 8, 222, 237,
      ])
    let start: [ProtobufField] = [.double(1, 0.5), .integer(2, -1), .message(7, [.integer(1, 1)])]
    #expect(
      EventLog.record(ProtobufField.encode(start)) == [
        24, 0, 0, 0, 0, 0, 0, 0, 163, 127, 75, 34, 9, 0, 0, 0, 0, 0, 0, 224, 63, 16, 255, 255, 255, 255, 255, 255, 255,
        255, 255, 1, 58, 2, 8, 1, 62, 70, 138, 168,
      ])
  }

  /// A file is the version, the description, and records one after another; a resumed one begins with the step after its
  /// checkpoint's.
  @Test func filesFollowEachOther() throws {
    try withFolder { folder in
      let run = try sampleRun(in: folder)
      let position: RunLog.Position
      do {
        var log = try RunLog(in: run)
        try tell(&log, 1...10)
        position = log.position
        try tell(&log, 11...20)
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

  /// The messages of a file of short records, whose framing must be right.
  private func records(of bytes: [UInt8]) throws -> [[UInt8]] {
    var records: [[UInt8]] = []
    var rest = bytes[...]
    while !rest.isEmpty {
      let count = Int(try #require(rest.first))
      let record = Array(rest.dropFirst(12).prefix(count))
      try #require(Array(rest.prefix(16 + count)) == EventLog.record(record))
      records.append(record)
      rest = rest.dropFirst(16 + count)
    }
    return records
  }
}
