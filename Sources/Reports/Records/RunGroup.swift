import Core
import Formats
import Runs

/// Runs that differ in nothing but their seed and their autoencoder's, or that a researcher has put together under a name.
struct RunGroup: Sendable {
  let name: String
  let runs: [RunRecord]

  var environment: String { runs[0].environment }
  /// One for each run that has a return.
  var scores: [Double] { runs.compactMap(\.score) }

  /// Says of which runs it is not known what their autoencoders were made with; nil where it is of all.
  static func doubt(about runs: [RunRecord]) -> String? {
    let unknown = runs.filter { $0.seenThrough?.isKnown == false }.map(\.name)
    guard !unknown.isEmpty else { return nil }
    let names = unknown.prefix(4).joined(separator: ", ") + (unknown.count > 4 ? " and others" : "")
    return "how the autoencoders of \(names) were made is not known, as they are not where they were: "
      + "only runs that saw through the same one are put together"
  }

  /// What random play gets, on average over the runs; nil where no run has measured it.
  static func randomReturn(of groups: [RunGroup]) -> Double? {
    let means = groups.flatMap(\.runs).compactMap { $0.baseline?.mean }
    return means.isEmpty ? nil : average(means)
  }

  /// What a return can be in any of the runs that were evaluated; nil where that is not known of all.
  static func returnRange(of groups: [RunGroup]) -> ClosedRange<Double>? {
    let runs = groups.flatMap(\.runs).filter { $0.metrics[LearningCurve.evaluation] != nil }
    let ranges = runs.compactMap { $0.baseline?.returnRange }
    guard ranges.count == runs.count, let low = ranges.map(\.lowerBound).min(),
      let high = ranges.map(\.upperBound).max()
    else { return nil }
    return low...high
  }

  /// Puts runs that differ in nothing but their seed together, in the order of their first members.
  ///
  /// - Parameter taken: names that other groups have.
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
      // Two groups of one name would be two lines of one name in a plot.
      let isUnique = !group.1.isEmpty && stems.filter { $0 == group.1 }.count == 1 && !taken.contains(group.1)
      return RunGroup(name: isUnique ? group.1 : "\(group.1.isEmpty ? "group" : group.1) \(index + 1)", runs: group.0)
    }
  }

  /// What the names of runs have in common: `catch-state` of `catch-state-s0` and `catch-state-s1`. A single run keeps its name.
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

  /// Without the `20250131-235959-` that a run's own name begins with.
  private static func withoutTime(_ name: String) -> String {
    let pieces = name.split(separator: "-", maxSplits: 2)
    guard pieces.count == 3, pieces[0].count == 8, pieces[1].count == 6,
      pieces[0].allSatisfy(\.isNumber), pieces[1].allSatisfy(\.isNumber)
    else { return name }
    return String(pieces[2])
  }
}

extension String {
  fileprivate func commonPrefix(with other: String) -> String {
    String(zip(self, other).prefix { $0 == $1 }.map { $0.0 })
  }
}
