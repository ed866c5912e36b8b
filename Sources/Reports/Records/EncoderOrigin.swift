import Core
import Formats
import Runs

/// The autoencoder of a run's agent, as far as the run's files describe it. Runs with different autoencoders are in
/// different groups.
///
/// Each seed of an experiment has its own autoencoder, so that fingerprints differ within a group. Autoencoders are
/// compared by their kind and settings, including those of the pretraining, without seeds and paths.
struct EncoderOrigin: Sendable, Hashable {
  /// The kind, such as `keypoint`; nil if only the fingerprint or the path is known.
  let kind: String?
  /// The settings by key, as written on the command line.
  let settings: [String: String]
  /// The fingerprint of the weights.
  let fingerprint: String?
  /// The path of its folder when the run was made.
  let path: String?

  /// Whether the kind and settings are known, so that runs can be compared by them.
  var isKnown: Bool { kind != nil }

  /// Returns nil if the agent observed the true state, or there was no agent.
  init?(of run: RunDirectory, facts: JSON, settings groups: [SettingsFile.Group], summary: JSON?) {
    func setting(_ key: String) -> String? {
      groups.first { $0.title == "encoder" }?.entries.first { $0.key == key }?.text
    }
    let input = facts["inputs"]?["autoencoder"]
    let record = facts["autoencoder"]
    let path = [
      input?["absolute_path"]?.text, input?["path"]?.text, setting("autoencoder"), summary?["autoencoder"]?.text,
    ].compactMap(\.self)
      .first { !$0.isEmpty }
    guard facts["command"]?.text == "train", (setting("observe") ?? summary?["observe"]?.text) != "state",
      record?.members != nil || input != nil || path != nil
    else { return nil }
    self.path = path
    fingerprint = record?["fingerprint"]?.text ?? input?["xxh64"]?.text
    if let kind = record?["kind"]?.text {
      self.kind = kind
      settings = Self.flattened(record?["settings"] ?? .null)
    } else if let folder = Self.folder(of: path, fingerprint, beside: run) {
      // Runs of older versions only record the fingerprint. Read the autoencoder's folder, if it exists and is
      // unchanged.
      kind = (try? folder.json("autoencoder.json"))?["kind"]?.text
      let entries = (try? folder.settings())?.groups.flatMap(\.entries) ?? []
      settings = Dictionary(
        entries.filter { !Self.isOfOne($0.key) }.map { ($0.key, $0.text) }, uniquingKeysWith: { first, _ in first })
    } else {
      (kind, settings) = (nil, [:])
    }
  }

  /// A key that is equal for autoencoders that differ only in their seed.
  var kinship: JSON {
    guard let kind else { return .string(fingerprint ?? path ?? "") }
    return [
      "kind": .string(kind),
      "settings": .object(settings.sorted { $0.key < $1.key }.map { .init($0.key, .string($0.value)) }),
    ]
  }

  /// Returns the folder with weights of this fingerprint: the original path, or the same name next to the run.
  private static func folder(of path: String?, _ fingerprint: String?, beside run: RunDirectory) -> RunDirectory? {
    guard let path, let fingerprint, let name = path.split(separator: "/").last else { return nil }
    return [path, "\(run.root)/\(name)"].lazy.compactMap { try? RunDirectory(existing: $0) }.first { folder in
      let bytes = try? readBytes(from: folder.file("autoencoder.safetensors"), limit: 1 << 30)
      return bytes.map { String(xxHash64($0), radix: 16) == fingerprint } ?? false
    }
  }

  /// The leaves of an object by their own keys, with or without groups.
  private static func flattened(_ json: JSON) -> [String: String] {
    (json.members ?? []).reduce(into: [:]) { all, member in
      if member.value.members != nil {
        all.merge(flattened(member.value)) { first, _ in first }
      } else if !isOfOne(member.key) {
        all[member.key] = member.value.text ?? member.value.description
      }
    }
  }

  /// Whether a key is not compared: those that differ between seeds, and the kind, which is stored separately.
  private static func isOfOne(_ key: String) -> Bool { ["seed", "dataset", "kind"].contains(key) }
}
