import Core
import Formats
import Runs

/// The autoencoder that a run's agent saw through, as far as its files tell: what makes runs on different ones different.
///
/// The seeds of an experiment each have an autoencoder of their own, so that its fingerprint says little: its kind and
/// settings count, those of its pretraining included, without seeds and places.
struct EncoderOrigin: Sendable, Hashable {
  /// `keypoint`; nil where only its fingerprint or its place is known.
  let kind: String?
  /// By key, as one would type them.
  let settings: [String: String]
  /// Of the weights.
  let fingerprint: String?
  /// Where it lay.
  let path: String?

  /// Whether runs can be told to have seen through the same kind of autoencoder.
  var isKnown: Bool { kind != nil }

  /// Nil where the agent saw the true state, or there was no agent.
  init?(of run: RunDirectory, facts: JSON, settings groups: [SettingsFile.Group], summary: JSON?) {
    func setting(_ key: String) -> String? {
      groups.first { $0.title == "encoder" }?.entries.first { $0.key == key }?.text
    }
    let input = facts["inputs"]?["autoencoder"]
    let record = facts["autoencoder"]
    let place = [
      input?["absolute_path"]?.text, input?["path"]?.text, setting("autoencoder"), summary?["autoencoder"]?.text,
    ].compactMap(\.self)
      .first { !$0.isEmpty }
    guard facts["command"]?.text == "train", (setting("observe") ?? summary?["observe"]?.text) != "state",
      record?.members != nil || input != nil || place != nil
    else { return nil }
    path = place
    fingerprint = record?["fingerprint"]?.text ?? input?["xxh64"]?.text
    if let kind = record?["kind"]?.text {
      self.kind = kind
      settings = Self.flattened(record?["settings"] ?? .null)
    } else if let folder = Self.folder(of: place, fingerprint, beside: run) {
      // A run of an older version: the autoencoder's own folder tells, where it is still there and the same.
      kind = (try? folder.json("autoencoder.json"))?["kind"]?.text
      let entries = (try? folder.settings())?.groups.flatMap(\.entries) ?? []
      settings = Dictionary(
        entries.filter { !Self.isOfOne($0.key) }.map { ($0.key, $0.text) }, uniquingKeysWith: { first, _ in first })
    } else {
      (kind, settings) = (nil, [:])
    }
  }

  /// Equal for autoencoders that differ in nothing but their seed.
  var kinship: JSON {
    guard let kind else { return .string(fingerprint ?? path ?? "") }
    return [
      "kind": .string(kind),
      "settings": .object(settings.sorted { $0.key < $1.key }.map { .init($0.key, .string($0.value)) }),
    ]
  }

  /// The folder that weights of this fingerprint lie in: where it was, or by the same name beside the run.
  private static func folder(of place: String?, _ fingerprint: String?, beside run: RunDirectory) -> RunDirectory? {
    guard let place, let fingerprint, let name = place.split(separator: "/").last else { return nil }
    return [place, "\(run.root)/\(name)"].lazy.compactMap { try? RunDirectory(existing: $0) }.first { folder in
      let bytes = try? readBytes(from: folder.file("autoencoder.safetensors"), limit: 1 << 30)
      return bytes.map { String(xxHash64($0), radix: 16) == fingerprint } ?? false
    }
  }

  /// The leaves of an object by their own keys, groups or none.
  private static func flattened(_ json: JSON) -> [String: String] {
    (json.members ?? []).reduce(into: [:]) { all, member in
      if member.value.members != nil {
        all.merge(flattened(member.value)) { first, _ in first }
      } else if !isOfOne(member.key) {
        all[member.key] = member.value.text ?? member.value.description
      }
    }
  }

  /// What each seed's autoencoder has of its own, and its kind, which stands beside its settings.
  private static func isOfOne(_ key: String) -> Bool { ["seed", "dataset", "kind"].contains(key) }
}
