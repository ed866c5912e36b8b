import Core
import Formats
import Pixels

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
  /// How pictures became these frames; nil if the frames were collected in an environment.
  public var imported: ImportedPictures?

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

  /// - Parameters:
  ///   - size: the size of a frame.
  ///   - format: the format of a frame.
  public init(imported: ImportedPictures, size: FrameSize, format: PixelFormat) {
    self.imported = imported
    environment = imported.environment
    settings = [Setting(key: "size", text: size.text), Setting(key: "color", text: "\(format)")]
    seed = 0
    policy = "imported"
  }

  /// Reads the manifest of a dataset's folder.
  ///
  /// - Throws: `WorldError` with the path if it is missing or damaged.
  public init(folder: String) throws { self = try Self.read(folder: folder).manifest }

  /// Reads a manifest and its xxHash64.
  static func read(folder: String) throws -> (manifest: Self, fingerprint: UInt64) {
    let path = "\(folder)/manifest.json"
    guard exists(path) else {
      throw WorldError(
        path: folder,
        "is not a dataset, as it has no manifest.json: make one with 'pixelrl collect' or 'pixelrl import'")
    }
    do {
      let bytes = try readBytes(from: path, limit: 1 << 24)
      return (try Self(JSON(parsing: bytes)), unsafe xxHash64(bytes.span.bytes))
    } catch let error as InputError {
      throw WorldError(path: path, error.description)
    }
  }

  /// The version of the format that is written and read.
  public static let version = 1
}

extension FrameDatasetManifest {
  var json: JSON {
    let json: JSON = [
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
    guard let imported, let members = json.members else { return json }
    return .object(members + [.init("imported", imported.json)])
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
    imported = try json["imported"].map { try ImportedPictures($0) }
  }
}
