import Core
import Formats

/// A dataset's `manifest.json`: the origin of its frames, and the fingerprint of each file.
public struct FrameDatasetManifest: Sendable, Hashable {
  public var environment: String
  /// The settings of the episodes, as written on the command line.
  public var settings: [Setting]
  public var seed: UInt64
  /// How the actions or states were chosen: `random-held`, `trained`, `uniform`.
  public var policy: String
  /// The number of simulator steps of the frames.
  public var environmentSteps = 0
  /// The number of frames of all episodes.
  public internal(set) var count = 0
  public internal(set) var episodeCount = 0
  public internal(set) var files: [File] = []

  /// A key and its value, as written on the command line.
  public struct Setting: Sendable, Hashable {
    public let key: String
    public let text: String
    public init(key: String, text: String) { (self.key, self.text) = (key, text) }

    /// What to type for it: `--size 64`, `--shadows` or `--no-shadows`.
    public var flag: String {
      switch text {
      case "true": "--\(key)"
      case "false": "--no-\(key)"
      default: "--\(key) \(text)"
      }
    }
  }

  /// A file's name, size and xxHash64.
  public struct File: Sendable, Hashable {
    public let name: String
    public let bytes: Int
    public let fingerprint: UInt64
  }

  public init(environment: String, settings: some SettingsGroup, seed: Seed, policy: String, environmentSteps: Int = 0)
  {
    self.environment = environment
    self.settings = settings.record.map { Setting(key: $0.key, text: $0.text) }
    self.seed = seed.value
    self.policy = policy
  }

  /// The version of the format that is written and read.
  public static let version = 1
}

extension FrameDatasetManifest {
  var json: JSON {
    [
      "format": "pixelrl frame dataset", "version": .integer(Self.version),
      "environment": .string(environment),
      "settings": .object(settings.map { JSON.Member($0.key, .string($0.text)) }),
      "seed": JSON(whole: seed), "policy": .string(policy),
      "env_steps": .integer(environmentSteps), "frames": .integer(count), "episodes": .integer(episodeCount),
      "files": .array(
        files.map {
          [
            "name": .string($0.name), "bytes": .integer($0.bytes),
            "xxh64": .string(String($0.fingerprint, radix: 16)),
          ]
        }),
    ]
  }

  /// - Throws: `InputError` that names the missing or invalid key.
  init(_ json: JSON) throws {
    guard json["format"]?.text == "pixelrl frame dataset" else {
      throw InputError("is not the manifest of a frame dataset")
    }
    let version = json["version"]?.int ?? 0
    guard version == Self.version else {
      throw InputError("has format version \(version), but this program reads \(Self.version): collect it again")
    }
    func get<Value>(_ key: String, _ convert: (JSON) -> Value?) throws -> Value {
      guard let value = json[key].flatMap(convert) else { throw InputError("has no valid \"\(key)\"") }
      return value
    }
    environment = try get("environment") { $0.text }
    policy = try get("policy") { $0.text }
    seed = try get("seed") { $0.whole }
    environmentSteps = try get("env_steps") { $0.int.flatMap { $0 >= 0 ? $0 : nil } }
    count = try get("frames") { $0.int }
    episodeCount = try get("episodes") { $0.int }
    settings = try get("settings") { $0.members }.map { member in
      guard let text = member.value.text else { throw InputError("has no valid setting \"\(member.key)\"") }
      return Setting(key: member.key, text: text)
    }
    files = try get("files") { $0.array }.map { file in
      guard let name = file["name"]?.text, let bytes = file["bytes"]?.int,
        let fingerprint = file["xxh64"]?.text.flatMap({ UInt64($0, radix: 16) })
      else { throw InputError("has no valid entry in \"files\"") }
      return File(name: name, bytes: bytes, fingerprint: fingerprint)
    }
  }
}
