import Core

/// How fast runs go, for one who looks at them again and again: seconds to their ends, by the recent rate.
public struct Pace: Sendable {
  private struct Sample: Sendable {
    let seconds: Double
    let step: Int
  }

  /// What was seen of each run that goes on, by its path.
  private var sights: [String: [Sample]] = [:]
  /// How far back a rate looks.
  private static let window = 300.0

  public init() {}

  /// Seconds until a run ends; nil where it does not go on, or nothing is known of its rate.
  ///
  /// Before two different steps have been seen, the rate is that since the run began, unless it was resumed: how long it
  /// rested is not known.
  ///
  /// - Parameter now: nanoseconds since 1970.
  public mutating func remaining(of entry: RunEntry, now: Int = nanoseconds()) -> Double? {
    let path = entry.run.path
    guard entry.status == .running, let step = entry.progress.step, let goal = entry.progress.goal else {
      sights[path] = nil
      return nil
    }
    let seconds = Double(now) / 1e9
    var seen = sights[path] ?? []
    if seen.last.map({ $0.step != step }) ?? true { seen.append(Sample(seconds: seconds, step: step)) }
    // Two stay, however old.
    while seen.count > 2, seconds - seen[0].seconds > Self.window { seen.removeFirst() }
    sights[path] = seen
    var rate = 0.0
    if let first = seen.first, let last = seen.last, last.step > first.step, last.seconds > first.seconds {
      rate = Double(last.step - first.step) / (last.seconds - first.seconds)
    } else if let began = entry.facts?.began, now > began, !exists(entry.run.file("resumes.jsonl")) {
      rate = Double(step) / (Double(now - began) / 1e9)
    }
    return rate > 0 ? Double(max(0, goal - step)) / rate : nil
  }
}
