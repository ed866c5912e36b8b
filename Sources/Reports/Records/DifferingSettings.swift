import Core

/// The settings in which groups of runs differ, seeds and places aside: what a comparison compares. A setting that comes
/// with one group's agent or autoencoder and not with another's is no difference of its own.
struct DifferingSettings: Sendable, Hashable {
  /// A setting, and what it is in each group, in the groups' order.
  struct Row: Sendable, Hashable {
    let name: String
    let values: [String]
  }

  let rows: [Row]

  init(of groups: [[RunRecord]]) {
    let all = groups.map { runs in runs.map(\.comparedSettings) }
    var seen: Set<String> = []
    let names = all.flatMap { $0 }.flatMap { $0 }.map(\.name).filter { seen.insert($0).inserted }
    rows = names.compactMap { name in
      let values = all.map { runs in
        var seen: Set<String> = []
        return runs.compactMap { run in run.first { $0.name == name }?.text }.filter { seen.insert($0).inserted }
      }
      guard Set(values.filter { !$0.isEmpty }.map(Set.init)).count > 1 else { return nil }
      return Row(name: name, values: values.map(Self.text))
    }
  }

  /// What a setting is in a group, whose runs may differ in it where a researcher has put them together.
  private static func text(_ values: [String]) -> String {
    guard !values.isEmpty else { return "–" }
    let shown = values.prefix(3).map { $0.isEmpty ? "none" : $0 }.joined(separator: ", ")
    return values.count > 3 ? "\(shown), …" : shown
  }
}

extension RunRecord {
  /// All that may tell the run from others, but for seeds and places.
  fileprivate var comparedSettings: [(name: String, text: String)] {
    var all = [(name: "command", text: command)]
    for group in settings {
      for entry in group.entries where !Self.seedSettings.contains(entry.key) { all.append((entry.key, entry.text)) }
    }
    guard let seenThrough else { return all }
    guard let kind = seenThrough.kind else {
      return all + [("autoencoder", seenThrough.fingerprint ?? seenThrough.path ?? "")]
    }
    // What both saw is the run's own setting.
    let shared = Set(settings.first { $0.title == "environment" }?.entries.map(\.key) ?? [])
    return all + [("autoencoder", kind)]
      + seenThrough.settings.filter { !shared.contains($0.key) }.sorted { $0.key < $1.key }
      .map { ("autoencoder's \($0.key)", $0.value) }
  }
}
