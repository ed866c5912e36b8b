import Testing

@testable import Formats

@Suite struct TFRecordTests {
  /// The records that TensorBoard 2.21's `RecordWriter` writes for `Event(wall_time=1.5, step=300,
  /// summary=Summary(value=[Value(tag="loss", simple_value=0.25)]))` and `Event(wall_time=0.5, step=-1,
  /// session_log=SessionLog(status=START))`.
  @Test func recordsAreGolden() {
    let scalar: [ProtobufField] = [
      .double(1, 1.5), .integer(2, 300), .message(5, [.message(1, [.string(1, "loss"), .float(2, 0.25)])]),
    ]
    #expect(
      TFRecord.bytes(of: ProtobufField.encode(scalar)) == [
        27, 0, 0, 0, 0, 0, 0, 0, 26, 13, 158, 19, 9, 0, 0, 0, 0, 0, 0, 248, 63, 16, 172, 2, 42, 13, 10, 11, 10, 4, 108,
        111, 115, 115, 21, 0, 0, 128, 62, 153, 8, 222, 237,
      ])
    let start: [ProtobufField] = [.double(1, 0.5), .integer(2, -1), .message(7, [.integer(1, 1)])]
    #expect(
      TFRecord.bytes(of: ProtobufField.encode(start)) == [
        24, 0, 0, 0, 0, 0, 0, 0, 163, 127, 75, 34, 9, 0, 0, 0, 0, 0, 0, 224, 63, 16, 255, 255, 255, 255, 255, 255, 255,
        255, 255, 1, 58, 2, 8, 1, 62, 70, 138, 168,
      ])
  }
}
