import Core
import Runs

/// Compares groups of seeds: aggregates with bootstrap intervals, and the probability that a run of one group does
/// better than a run of another (Agarwal et al. 2021).
///
/// The score of a run is its return, the mean of its last three evaluations. Runs without a return, such as
/// pretrainings, are left out and counted.
public struct Comparison: Sendable {
  /// A group's scores in the environments of a table.
  struct Entry: Sendable {
    let name: String
    /// The scores by environment, in the table's order, then by run.
    let scores: [[Double]]
    /// The aggregates in the order of `Aggregate.allCases`.
    let estimates: [Estimate]

    var runCount: Int { scores.reduce(0) { $0 + $1.count } }
    /// Whether there are intervals: they need several runs of at least one environment.
    var hasIntervals: Bool { scores.contains { $0.count > 1 } }
  }

  /// The probability that a run of entry `of` does better than a run of entry `over`.
  struct Improvement: Sendable {
    let of: Int
    let over: Int
    let estimate: Estimate
  }

  /// The comparison in one environment, or in all environments that every group has runs of.
  struct Table: Sendable {
    let environments: [String]
    let entries: [Entry]
    let improvements: [Improvement]
    /// The settings in which the entries differ; only for one environment.
    var differences = DifferingSettings(of: [])

    var title: String { environments.count == 1 ? environments[0] : "All \(environments.count) environments" }

    func improvement(of a: Int, over b: Int) -> Estimate? {
      improvements.first { $0.of == a && $0.over == b }?.estimate
    }
  }

  let tables: [Table]
  /// The groups of runs with a return, each in one environment.
  let groups: [RunGroup]
  /// The names of runs without a return.
  public let leftOut: [String]
  /// Why runs that belong together may be in different groups, a sentence without its full stop; nil if none are.
  public let doubt: String?
  let bootstrap: Bootstrap

  /// - Throws: `InputError` if no run has a return, or two groups have the same name.
  public init(of selections: [RunSelection], bootstrap: Bootstrap = Bootstrap()) throws {
    self.bootstrap = bootstrap
    let named = selections.filter { $0.name != nil }.map { selection in
      (name: selection.name ?? "", runs: selection.runs.map(RunRecord.init))
    }
    let names = named.map(\.name)
    if let twice = names.first(where: { name in names.count { $0 == name } > 1 }) {
      throw InputError("two groups are named '\(twice)': give each group a different name")
    }
    let free = selections.filter { $0.name == nil }.flatMap(\.runs).map(RunRecord.init)
    let records = named.flatMap(\.runs) + free
    leftOut = records.filter { $0.score == nil }.map(\.name)
    groups =
      named.flatMap { name, runs in
        Self.byEnvironment(runs.filter { $0.score != nil }).map { RunGroup(name: name, runs: $0) }
      } + RunGroup.groups(of: free.filter { $0.score != nil }, besides: names)
    doubt = RunGroup.doubt(about: free.filter { $0.score != nil })
    guard !groups.isEmpty else {
      throw InputError("none of these \(records.count) runs has a return yet: use runs of 'pixelrl train'")
    }
    tables = Self.tables(of: groups, bootstrap)
  }

  private static func byEnvironment(_ runs: [RunRecord]) -> [[RunRecord]] {
    var seen: Set<String> = []
    let environments = runs.map(\.environment).filter { seen.insert($0).inserted }
    return environments.map { environment in runs.filter { $0.environment == environment } }
  }

  private static func tables(of groups: [RunGroup], _ bootstrap: Bootstrap) -> [Table] {
    var seen: Set<String> = []
    let environments = groups.map(\.environment).filter { seen.insert($0).inserted }
    let single = environments.map { environment in
      let groups = groups.filter { $0.environment == environment }
      var table = table(of: groups.map { ($0.name, [$0.scores]) }, [environment], bootstrap)
      table.differences = DifferingSettings(of: groups.map(\.runs))
      return table
    }
    // The joint table has only environments that every group has runs of.
    seen = []
    let names = groups.map(\.name).filter { seen.insert($0).inserted }
    let common = environments.filter { environment in
      names.allSatisfy { name in groups.contains { $0.name == name && $0.environment == environment } }
    }
    guard common.count > 1 else { return single }
    let scores = names.map { name in
      (name, common.map { environment in groups.filter { $0.name == name && $0.environment == environment }[0].scores })
    }
    return single + [table(of: scores, common, bootstrap)]
  }

  private static func table(
    of scores: [(name: String, scores: [[Double]])], _ environments: [String], _ bootstrap: Bootstrap
  ) -> Table {
    let entries = scores.map { name, scores in
      Entry(
        name: name, scores: scores,
        estimates: Aggregate.allCases.map { aggregate in bootstrap.estimate(scores) { aggregate($0) } })
    }
    let improvements = entries.indices.flatMap { a in
      entries.indices.filter { $0 != a }.map { b in
        Improvement(
          of: a, over: b, estimate: bootstrap.probabilityOfImprovement(of: entries[a].scores, over: entries[b].scores))
      }
    }
    return Table(environments: environments, entries: entries, improvements: improvements)
  }
}
