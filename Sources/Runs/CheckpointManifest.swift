import Core
import Formats

/// The list of a checkpoint's parts, with a checksum of each part and of itself: `manifest.json`, written last.
///
/// The file is one line of JSON, a newline, and the line's xxHash64 in 16 hexadecimal digits with a newline, so that
/// every changed byte is detected.
public struct CheckpointManifest: Sendable, Hashable {
  /// The number of steps that the run had done, in the run's own unit.
  public var step: Int
  /// The fingerprint of the run's settings.
  public var settings: UInt64
  /// The mean return of the agent's evaluation at this step, if there was one. The best checkpoint is kept.
  public var score: Double?
  public var parts: [Part]

  /// One file.
  public struct Part: Sendable, Hashable {
    public var name: String
    public var byteCount: Int
    public var hash: UInt64
    /// A number that differs whenever the bytes may differ; nil if the part has none.
    public var revision: Int?
  }

  static let name = "manifest.json"
  static let format = 1

  var bytes: [UInt8] {
    let parts = self.parts.map { part -> JSON in
      [
        "name": .string(part.name), "bytes": .integer(part.byteCount), "xxh64": .string(hexadecimal(part.hash)),
        "revision": part.revision.map { .integer($0) } ?? .null,
      ]
    }
    let json: JSON = [
      "format": .integer(Self.format), "step": .integer(step), "settings": .string(hexadecimal(settings)),
      "score": score.map { .number($0) } ?? .null, "parts": .array(parts),
    ]
    let line = Array(json.description.utf8)
    return line + Array("\n\(hexadecimal(xxHash64(line)))\n".utf8)
  }

  /// - Throws: `InputError` that says what is wrong with the bytes of a manifest.
  public init(_ bytes: [UInt8]) throws {
    let newline = UInt8(ascii: "\n")
    guard bytes.count >= 18, bytes.last == newline, bytes[bytes.count - 18] == newline else {
      throw InputError("the manifest is incomplete")
    }
    let line = Array(bytes[..<(bytes.count - 18)])
    guard bytes[(bytes.count - 17)..<(bytes.count - 1)].elementsEqual(hexadecimal(xxHash64(line)).utf8)
    else { throw InputError("the manifest's checksum is wrong") }
    let json = try JSON(parsing: line)
    guard json["format"]?.int == Self.format else {
      throw InputError("the checkpoint has a format that this version cannot read")
    }
    func hash(_ json: JSON?) -> UInt64? { json?.text.flatMap { UInt64($0, radix: 16) } }
    guard let step = json["step"]?.int, step >= 0, let settings = hash(json["settings"]),
      let list = json["parts"]?.array
    else { throw InputError("a part of the manifest is missing") }
    let parts = list.compactMap { json -> Part? in
      guard let name = json["name"]?.text, let count = json["bytes"]?.int, count >= 0, let hash = hash(json["xxh64"]),
        Folder.isPlain(name), !name.hasPrefix("."), name != Self.name
      else { return nil }
      return Part(name: name, byteCount: count, hash: hash, revision: json["revision"]?.int)
    }
    guard parts.count == list.count, Set(parts.map(\.name)).count == parts.count else {
      throw InputError("the manifest's list of parts is damaged")
    }
    (self.step, self.settings, score, self.parts) = (step, settings, json["score"]?.double, parts)
  }

  init(step: Int, settings: UInt64) {
    (self.step, self.settings, score, parts) = (step, settings, nil, [])
  }
}

/// Formats a word as 16 hexadecimal digits.
func hexadecimal(_ word: UInt64) -> String {
  let digits = String(word, radix: 16)
  return String(repeating: "0", count: 16 - digits.count) + digits
}
