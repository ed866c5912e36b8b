import Core
import Runs

/// Where a run stands among the finished runs of its environment in the same folder, by return.
struct Ranking: Sendable, Hashable {
  /// 1 is the best; runs of equal return share a rank.
  let rank: Int
  /// Of how many, this one included.
  let count: Int
  private let isBeaten: Bool
  private let hasWorse: Bool

  /// Nil where the run has no return yet.
  init?(of run: RunRecord) {
    guard let score = run.score else { return nil }
    let others = Self.scores(beside: run)
    rank = 1 + others.count { $0 > score }
    count = others.count + 1
    isBeaten = others.contains { $0 > score }
    hasWorse = others.contains { $0 < score }
  }

  /// One sentence without its full stop.
  ///
  /// - Parameters:
  ///   - run: its name where it must be said which is meant.
  ///   - root: the folder that the runs lie in.
  func sentence(run: String? = nil, _ environment: String, in root: String) -> String {
    let subject = run ?? "This run"
    if count == 1 { return "\(subject) is the only run of \(environment) in \(root) so far" }
    let place = "of the \(count) runs of \(environment) in \(root)"
    switch (isBeaten, hasWorse) {
    case (false, true): return "\(subject) is the best so far \(place)"
    case (true, false): return "\(subject) is the worst so far \(place)"
    case (false, false): return "\(subject) is as good as all others \(place)"
    case (true, true): return "\(subject) is number \(rank) \(place)"
    }
  }

  /// The returns of the finished trainings beside a run; those that cannot be read do not count.
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
  /// The folder that the run lies in.
  var root: String {
    let trimmed = path.hasSuffix("/") ? String(path.dropLast()) : path
    guard let slash = trimmed.lastIndex(of: "/") else { return "." }
    return slash == trimmed.startIndex ? "/" : String(trimmed[..<slash])
  }
}
