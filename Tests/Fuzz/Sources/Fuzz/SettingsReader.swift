import Core
import Formats

@testable import Runs

private enum Color: String, ChoiceSetting { case gray, rgb }

/// A setting of every type.
private struct Sample: SettingsGroup {
  var size = 64
  var rate = 0.5
  var color = Color.rgb
  var norm = true
  var name = "a"

  static let title = "agent"
  static var fields: [Field<Self>] {
    [
      Field("size", \.size, 1...1000, "pixels"), Field("rate", \.rate, 0...1, "rate"),
      Field("color", \.color, "colour"), Field("norm", \.norm, "layer norm"), Field("name", \.name, "name"),
    ]
  }

  init() {}

  init(of bytes: [UInt8]) throws {
    let file = try SettingsFile(parsing: bytes, path: "x")
    try file.check([Sample()])
    try file.apply(to: &self)
  }

  var bytes: [UInt8] { Array(SettingsFile.text(of: [self]).utf8) }
}

extension Reader {
  /// A YAML config file: accepted values are in range and round-trip through writing and parsing.
  static let settings = Reader(name: "settings") {
    var other = Sample()
    (other.size, other.rate, other.color, other.norm, other.name) = (1000, 1e-6, .gray, false, "é: # 'x' \"\\")
    let texts = [
      "agent: {size: 5, rate: 1e-3, norm: no}", "{\"agent\": {\"name\": \"\\u00e9\"}}",
      "agent:\n  name: |\n    a\n    b\n",
      "# nothing\nagent:\n", "agent:\n  name: 'it''s'  # why\n  color: gray\n",
    ]
    return [Sample(), other].map(\.bytes) + texts.map { Array($0.utf8) }
  } read: { bytes in
    let sample = try Sample(of: bytes)
    precondition((1...1000).contains(sample.size) && (0...1).contains(sample.rate))
    let second = again { try Sample(of: sample.bytes) }
    precondition(second.record.map(\.text) == sample.record.map(\.text), "does not round-trip")
  }

  /// The manifest of a checkpoint, with a corrected checksum.
  static let manifest = Reader(name: "manifest") {
    var manifest = CheckpointManifest(step: 1000, settings: 0x1234_5678_9abc_def0)
    manifest.score = 0.5
    manifest.parts = [
      .init(name: "state.plist", byteCount: 10, hash: 1, revision: nil),
      .init(name: "replay-0", byteCount: 1 << 40, hash: .max, revision: 3),
    ]
    return [CheckpointManifest(step: 0, settings: 0).bytes, manifest.bytes].map { Array($0.dropLast(18)) }
  } read: { line in
    // Almost no input of the fuzzer has a valid checksum.
    let sum = Array("\n\(hexadecimal(xxHash64(line.span.bytes)))\n".utf8)
    let manifest = try CheckpointManifest(line + sum)
    precondition(again { try CheckpointManifest(manifest.bytes) } == manifest)
    for part in manifest.parts { precondition(!part.name.contains("/") && part.name != "..") }
  }
}
