import Core
import Runs

/// The rank of a run by return among the finished runs of its environment in the same folder.
struct Ranking: Sendable, Hashable {
  /// 1 is the best; runs of equal return share a rank.
  let rank: Int
  /// The number of ranked runs, including this one.
  let count: Int
  private let isBeaten: Bool
  private let hasWorse: Bool

  /// Returns nil if the run has no return yet.
  init?(of run: RunRecord) {
    guard let score = run.score else { return nil }
    let others = Self.scores(beside: run)
    rank = 1 + others.count { $0 > score }
    count = others.count + 1
    isBeaten = others.contains { $0 > score }
    hasWorse = others.contains { $0 < score }
  }

  /// The rank as a sentence without its full stop.
  ///
  /// - Parameters:
  ///   - run: The name of the run; nil for "this run".
  ///   - root: The folder of the runs.
  func sentence(run: String? = nil, _ environment: String, in root: String) -> String {
    let subject = run ?? "This run"
    if count == 1 { return "\(subject) is the only run of \(environment) in \(root) so far" }
    let runs = "of the \(count) runs of \(environment) in \(root)"
    switch (isBeaten, hasWorse) {
    case (false, true): return "\(subject) is the best so far \(runs)"
    case (true, false): return "\(subject) is the worst so far \(runs)"
    case (false, false): return "\(subject) is as good as all others \(runs)"
    case (true, true): return "\(subject) is number \(rank) \(runs)"
    }
  }

  /// The returns of the other finished trainings in a run's folder. Those that cannot be read are left out.
  private static func scores(beside run: RunRecord) -> [Double] {
    let root = run.directory.root
    guard let names = try? folderEntries(root) else { return [] }
    return names.compactMap { name in
      guard name != run.name, let other = try? RunDirectory(existing: "\(root)/\(name)"), other.isFinished,
        let facts = try? other.facts(), facts.environment == run.environment, facts.command == run.command,
        let score = try? other.json("summary.json")["return_mean"]?.double, score.isFinite
      else { return nil }
      return score
    }
  }
}

extension RunDirectory {
  /// The folder that contains the run.
  var root: String {
    var trimmed = path[...]
    while trimmed.hasSuffix("/") { trimmed.removeLast() }
    if [".", ".."].contains(trimmed.split(separator: "/").last), let whole = try? absolutePath(path) {
      trimmed = whole[...]
    }
    guard let slash = trimmed.lastIndex(of: "/") else { return "." }
    return slash == trimmed.startIndex ? "/" : String(trimmed[..<slash])
  }
}
