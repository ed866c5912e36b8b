import Core
import Runs

/// Groups of seeds side by side: aggregates with bootstrap intervals, and how likely a run of one does better than a run
/// of another (Agarwal et al. 2021).
///
/// The score of a run is its return, the mean of its last three evaluations. Runs without one, such as pretrainings, are
/// left out and counted.
public struct Comparison: Sendable {
  /// A group's scores in the environments of a table.
  struct Entry: Sendable {
    let name: String
    /// By environment, in the table's order, then by run.
    let scores: [[Double]]
    /// In the order of `Aggregate.allCases`.
    let estimates: [Estimate]

    var runCount: Int { scores.reduce(0) { $0 + $1.count } }
    /// Nothing is known of how runs differ where there is one of each kind.
    var hasIntervals: Bool { scores.contains { $0.count > 1 } }
  }

  /// Entry `of` does better than entry `over` with a probability.
  struct Improvement: Sendable {
    let of: Int
    let over: Int
    let estimate: Estimate
  }

  /// One environment, or all that every group has runs of.
  struct Table: Sendable {
    let environments: [String]
    let entries: [Entry]
    let improvements: [Improvement]
    /// Between the entries of one environment.
    var differences = DifferingSettings(of: [])

    var title: String { environments.count == 1 ? environments[0] : "All \(environments.count) environments" }

    func improvement(of a: Int, over b: Int) -> Estimate? {
      improvements.first { $0.of == a && $0.over == b }?.estimate
    }
  }

  let tables: [Table]
  /// Those that have runs with a return, each in one environment.
  let groups: [RunGroup]
  /// Runs that have no return.
  public let leftOut: [String]
  /// Why runs may be apart that belong together, a sentence without its full stop; nil where there is no doubt.
  public let doubt: String?
  let bootstrap: Bootstrap

  /// - Throws: `InputError` where no run has a return, or two groups have the same name.
  public init(of selections: [RunSelection], bootstrap: Bootstrap = Bootstrap()) throws {
    self.bootstrap = bootstrap
    let named = selections.filter { $0.name != nil }.map { selection in
      (name: selection.name ?? "", runs: selection.runs.map(RunRecord.init))
    }
    let names = named.map(\.name)
    if let twice = names.first(where: { name in names.count { $0 == name } > 1 }) {
      throw InputError("two groups are called '\(twice)': give each a name of its own")
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
      throw InputError("none of these \(records.count) runs has a return yet: give runs of 'pixelrl train'")
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
    // Together only what every group has runs of can be compared.
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
