import Core

/// The settings in which groups of runs differ, except seeds and paths. A setting that only one group's agent or
/// autoencoder has does not count as a difference.
struct DifferingSettings: Sendable, Hashable {
  /// A setting, with its value in each group, in the groups' order.
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

  /// The values of a setting in a group as text. Runs that were grouped by name may have different values.
  private static func text(_ values: [String]) -> String {
    guard !values.isEmpty else { return "–" }
    let shown = values.prefix(3).map { $0.isEmpty ? "none" : $0 }.joined(separator: ", ")
    return values.count > 3 ? "\(shown), …" : shown
  }
}

extension RunRecord {
  /// All settings that may differ between groups, without seeds and paths.
  fileprivate var comparedSettings: [(name: String, text: String)] {
    var all = [(name: "command", text: command)]
    for group in settings {
      for entry in group.entries where !isOfSeed(entry.key) { all.append((entry.key, entry.text)) }
    }
    guard let encoderOrigin else { return all }
    guard let kind = encoderOrigin.kind else {
      return all + [("autoencoder", encoderOrigin.fingerprint ?? encoderOrigin.path ?? "")]
    }
    // The settings of the environment are the run's own settings too.
    let shared = Set(settings.first { $0.title == "environment" }?.entries.map(\.key) ?? [])
    return all + [("autoencoder", kind)]
      + encoderOrigin.settings.filter { !shared.contains($0.key) }.sorted { $0.key < $1.key }
      .map { ("autoencoder's \($0.key)", $0.value) }
  }
}
