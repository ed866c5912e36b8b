import Core
import Formats
import Runs

/// Runs that differ only in their seed and their autoencoder's seed, or that the user grouped under a name.
struct RunGroup: Sendable {
  let name: String
  let runs: [RunRecord]

  var environment: String { runs[0].environment }
  /// The return of each run that has one.
  var scores: [Double] { runs.compactMap(\.score) }

  /// A sentence that names the runs whose autoencoders' settings are unknown; nil if there are none.
  static func doubt(about runs: [RunRecord]) -> String? {
    let unknown = runs.filter { $0.encoderOrigin?.isKnown == false }.map(\.name)
    guard !unknown.isEmpty else { return nil }
    let names = unknown.prefix(4).joined(separator: ", ") + (unknown.count > 4 ? " and others" : "")
    return "the settings of the autoencoders of \(names) are unknown, because their folders were moved or changed: "
      + "these runs are only grouped if they share an autoencoder"
  }

  /// The return of random play, averaged over the runs; nil if no run has measured it.
  static func randomReturn(of groups: [RunGroup]) -> Double? {
    let means = groups.flatMap(\.runs).compactMap { $0.baseline?.mean }
    return means.isEmpty ? nil : average(means)
  }

  /// The bounds of the return over all runs that were evaluated; nil if they are unknown for any of them.
  static func returnRange(of groups: [RunGroup]) -> ClosedRange<Double>? {
    let runs = groups.flatMap(\.runs).filter { $0.metrics[LearningCurve.evaluation] != nil }
    let ranges = runs.compactMap { $0.baseline?.returnRange }
    guard ranges.count == runs.count, let low = ranges.map(\.lowerBound).min(),
      let high = ranges.map(\.upperBound).max()
    else { return nil }
    return low...high
  }

  /// Groups runs that differ only in their seed, in the order of their first members.
  ///
  /// - Parameter taken: The names of other groups.
  static func groups(of runs: [RunRecord], besides taken: [String] = []) -> [RunGroup] {
    var keys: [JSON] = []
    var members: [JSON: [RunRecord]] = [:]
    for run in runs {
      let key = run.kinship
      if members[key] == nil { keys.append(key) }
      members[key, default: []].append(run)
    }
    let groups = keys.compactMap { members[$0] }
    let stems = groups.map { commonName(of: $0.map(\.name)) }
    return zip(groups, stems).enumerated().map { index, group in
      // Group names must be unique, since plots label their lines with them.
      let isUnique = !group.1.isEmpty && stems.filter { $0 == group.1 }.count == 1 && !taken.contains(group.1)
      return RunGroup(name: isUnique ? group.1 : "\(group.1.isEmpty ? "group" : group.1) \(index + 1)", runs: group.0)
    }
  }

  /// The common part of the names of runs: `catch-state` for `catch-state-s0` and `catch-state-s1`. A single run keeps
  /// its name.
  static func commonName(of names: [String]) -> String {
    let bare = names.map(withoutTime)
    guard var common = bare.first, names.count > 1 else { return names.first ?? "" }
    for name in bare.dropFirst() { common = common.commonPrefix(with: name) }
    let digits = common.reversed().prefix { $0.isNumber }.count
    common.removeLast(digits)
    if common.hasSuffix("-s") || common.hasSuffix("_s") { common.removeLast(2) }
    if common.hasSuffix("-seed") || common.hasSuffix("_seed") { common.removeLast(5) }
    while let last = common.last, "-_. ".contains(last) { common.removeLast() }
    return common
  }

  /// Removes the prefix `20250131-235959-` of a run's default name.
  private static func withoutTime(_ name: String) -> String {
    let pieces = name.split(separator: "-", maxSplits: 2)
    guard pieces.count == 3, pieces[0].count == 8, pieces[1].count == 6,
      pieces[0].allSatisfy(\.isNumber), pieces[1].allSatisfy(\.isNumber)
    else { return name }
    return String(pieces[2])
  }
}

extension [RunGroup] {
  /// What a step of their trainings is, or of their pretrainings if there are no trainings.
  var stepName: String {
    let runs = flatMap(\.runs)
    let trainings = runs.filter { $0.command != "pretrain-ae" }
    return Set((trainings.isEmpty ? runs : trainings).map(\.stepName)).sorted().joined(separator: " or ")
  }
}

extension String {
  fileprivate func commonPrefix(with other: String) -> String {
    String(zip(self, other).prefix { $0 == $1 }.map { $0.0 })
  }
}
