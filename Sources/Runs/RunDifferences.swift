import Core
import Formats

/// The settings in which two runs differ, with those of their autoencoders.
public struct RunDifferences: Sendable {
  /// A setting with its value in each run; nil if a run does not have it.
  public struct Row: Sendable, Hashable {
    public let key: String
    public let values: [String?]
  }

  public let rows: [Row]

  /// - Throws: `WorldError` with the path of a damaged file.
  public init(of runs: [RunDirectory]) throws {
    let all = try runs.map { try Self.settings(of: $0) }
    var seen: Set<String> = []
    let keys = all.flatMap { $0 }.map(\.key).filter { seen.insert($0).inserted }
    rows = keys.compactMap { key in
      let values = all.map { settings in settings.first { $0.key == key }?.value }
      return Set(values).count > 1 ? Row(key: key, values: values) : nil
    }
  }

  /// The settings of a run, in the order of its file.
  private static func settings(of run: RunDirectory) throws -> [(key: String, value: String)] {
    let facts = try run.facts()
    let own = try run.settings().groups.flatMap(\.entries).map { (key: $0.key, value: $0.text) }
    let encoder = (facts.autoencoder["settings"]?.members ?? []).compactMap { member in
      member.value.text.map { (key: "autoencoder's \(member.key)", value: $0) }
    }
    return [(key: "command", value: facts.command), (key: "version", value: facts.version)] + own + encoder
  }
}
