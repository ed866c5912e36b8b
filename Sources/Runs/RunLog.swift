import Core
import Pixels

/// Writes the logs of a run in all formats: `metrics.jsonl`, TensorBoard's event files, `monitor.csv`, `scores.jsonl`
/// and `evaluations.npz`.
///
/// If a call fails, the files still have only whole lines and records. A run that resumes at a `Position` truncates all
/// files there, so that nothing is logged twice.
public struct RunLog: ~Copyable {
  /// The position in each file. Checkpoints store it, after `synchronize`.
  public struct Position: Codable, Sendable, Hashable {
    var metrics: Int
    var events: EventLog.Position
    /// Nil until the first training episode has ended.
    var episodes: EpisodeLog.Position?
    var evaluations: Int
  }

  private let directory: RunDirectory
  private var metrics: MetricsLog
  private var events: EventLog
  private var episodes: EpisodeLog?
  private var evaluations: EvaluationLog
  /// Warnings about log files that are missing.
  public let notes: [String]

  /// Opens the files of a run.
  ///
  /// - Parameters:
  ///   - position: The position stored in a checkpoint of the run; nil for a new run.
  ///   - step: The step of that checkpoint.
  /// - Throws: `WorldError` with the path, as do all methods here.
  public init(in directory: RunDirectory, from position: Position? = nil, step: Int = 0) throws {
    // A missing log file does not stop the run.
    var position = position
    let missing = position?.forget { !exists(directory.file($0)) } ?? []
    notes = missing.map { "\(directory.file($0)) is missing: it restarts after step \(step)" }
    let metrics = try MetricsLog(path: directory.file("metrics.jsonl"), offset: position?.metrics ?? 0)
    var events = try EventLog(in: directory.path, keeping: position?.events, step: step)
    if try position == nil || !events.hasEarlierFiles(in: directory.path) { try events.describe(directory) }
    let episodes = try position?.episodes.map { try EpisodeLog(in: directory, keeping: $0) }
    evaluations = try EvaluationLog(in: directory, keeping: position?.evaluations ?? 0)
    self.directory = directory
    self.metrics = metrics
    self.events = events
    self.episodes = episodes
  }

  /// Logs the metrics of a step.
  public mutating func append(step: Int, _ metrics: Metrics) throws {
    try self.metrics.append(step: step, metrics)
    try events.append(step: step, metrics)
  }

  /// Logs an image of a step, with a tag such as `reconstructions`.
  public mutating func image(_ tag: String, step: Int, _ picture: PixelBuffer) throws {
    try events.append(step: step, tag, picture)
  }

  /// Logs a training episode that has ended.
  ///
  /// - Parameters:
  ///   - length: The length in simulator steps.
  ///   - step: The simulator steps of all environments at its end.
  public mutating func episode(return sum: Double, length: Int, step: Int) throws {
    if episodes == nil { episodes = try EpisodeLog(in: directory, keeping: nil) }
    try episodes?.append(return: sum, length: length, step: step)
  }

  /// Logs an evaluation of the agent, with the same number of episodes each time. The mean return becomes the metric
  /// `evaluation/return`, its standard deviation over episodes `evaluation/deviation`.
  ///
  /// - Parameter lengths: The lengths of the episodes in simulator steps.
  public mutating func evaluation(step: Int, returns: [Double], lengths: [Int]) throws {
    try evaluations.append(step: step, returns: returns, lengths: lengths)
    try append(step: step, ["evaluation/return": returns.mean, "evaluation/deviation": returns.deviation])
  }

  public var position: Position {
    let episodePosition: EpisodeLog.Position? =
      switch episodes {
      case .some(let log): log.position
      case .none: nil
      }
    return Position(
      metrics: metrics.byteCount, events: events.position, episodes: episodePosition, evaluations: evaluations.count)
  }

  /// Synchronises all files to disk.
  public func synchronize() throws {
    try metrics.synchronize()
    try events.synchronize()
    switch episodes {
    case .some(let log): try log.synchronize()
    case .none: break
    }
  }
}

extension RunLog.Position {
  /// Resets the positions in missing files to 0. Returns the names of those files that were not empty.
  fileprivate mutating func forget(where isMissing: (String) -> Bool) -> [String] {
    var missing: [String] = []
    func keep(_ name: String, _ count: inout Int) {
      guard count > 0, isMissing(name) else { return }
      missing.append(name)
      count = 0
    }
    keep("metrics.jsonl", &metrics)
    keep(EvaluationLog.name, &evaluations)
    keep(events.file, &events.byteCount)
    if var position = episodes {
      keep("monitor.csv", &position.monitor)
      keep("scores.jsonl", &position.scores)
      episodes = position
    }
    return missing
  }
}
