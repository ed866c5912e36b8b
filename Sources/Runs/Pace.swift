import Core

/// Estimates the remaining time of running runs from their recent rate, over repeated calls.
public struct Pace: Sendable {
  private struct Sample: Sendable {
    let seconds: Double
    let step: Int
  }

  /// The recent samples of each running run, by its path.
  private var samples: [String: [Sample]] = [:]
  /// The window of the rate in seconds.
  private static let window = 300.0

  public init() {}

  /// Returns the seconds until a run ends, or nil if it is not running or its rate is unknown.
  ///
  /// Until two different steps have been sampled, the rate is the average since the run began. For a resumed run that
  /// rate is unknown, as is the time that it was interrupted.
  ///
  /// - Parameter now: The current time in nanoseconds since 1970.
  public mutating func remaining(of entry: RunEntry, now: Int = nanoseconds()) -> Double? {
    let path = entry.run.path
    guard entry.status == .running, let step = entry.progress.step, let goal = entry.progress.goal else {
      samples[path] = nil
      return nil
    }
    let seconds = Double(now) / 1e9
    var recent = samples[path] ?? []
    if recent.last.map({ $0.step != step }) ?? true { recent.append(Sample(seconds: seconds, step: step)) }
    // Keep at least two, however old.
    while recent.count > 2, seconds - recent[0].seconds > Self.window { recent.removeFirst() }
    samples[path] = recent
    var rate = 0.0
    if let first = recent.first, let last = recent.last, last.step > first.step, last.seconds > first.seconds {
      rate = Double(last.step - first.step) / (last.seconds - first.seconds)
    } else if let began = entry.facts?.began, now > began, !exists(entry.run.file("resumes.jsonl")) {
      rate = Double(step) / (Double(now - began) / 1e9)
    }
    return rate > 0 ? Double(max(0, goal - step)) / rate : nil
  }
}
