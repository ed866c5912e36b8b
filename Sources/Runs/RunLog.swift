import Core
import Pixels

/// What a loop tells of its run, in every form that somebody reads it in: `metrics.jsonl`, TensorBoard's event files,
/// `monitor.csv`, `scores.jsonl` and `evaluations.npz`.
///
/// A failed call leaves whole lines and records behind. A run that is resumed at a `Position` cuts all files there, so that
/// nothing stands in them twice.
public struct RunLog: ~Copyable {
  /// How far each file is written: what a checkpoint stores, after `synchronize`.
  public struct Position: Codable, Sendable, Hashable {
    var metrics: Int
    var events: EventLog.Position
    /// Nil while no training episode has ended.
    var episodes: EpisodeLog.Position?
    var evaluations: Int
  }

  private let directory: RunDirectory
  private var metrics: MetricsLog
  private var events: EventLog
  private var episodes: EpisodeLog?
  private var evaluations: EvaluationLog
  /// What somebody else removed, and how it goes on.
  public let notes: [String]

  /// Opens the files of a run.
  ///
  /// - Parameters:
  ///   - position: where a checkpoint of the run was; nil for a new run.
  ///   - step: the step of that checkpoint.
  /// - Throws: `WorldError` with the path, as do all others here.
  public init(in directory: RunDirectory, from position: Position? = nil, step: Int = 0) throws {
    // A file that is not there takes nothing from the run but its own lines.
    var position = position
    let gone = position?.forget { !exists(directory.file($0)) } ?? []
    notes = gone.map { "\(directory.file($0)) is gone: it begins anew after step \(step)" }
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

  /// Numbers of a step.
  public mutating func append(step: Int, _ metrics: Metrics) throws {
    try self.metrics.append(step: step, metrics)
    try events.append(step: step, metrics)
  }

  /// A picture of a step, under a name such as `reconstructions`.
  public mutating func image(_ tag: String, step: Int, _ picture: PixelBuffer) throws {
    try events.append(step: step, tag, picture)
  }

  /// A training episode that has ended.
  ///
  /// - Parameters:
  ///   - length: in simulator steps.
  ///   - step: the simulator steps of all environments at its end.
  public mutating func episode(return sum: Double, length: Int, step: Int) throws {
    if episodes == nil { episodes = try EpisodeLog(in: directory, keeping: nil) }
    try episodes?.append(return: sum, length: length, step: step)
  }

  /// Episodes played to judge the agent, as many each time: their mean return becomes `evaluation/return`, its standard
  /// deviation over episodes `evaluation/deviation`.
  ///
  /// - Parameter lengths: in simulator steps.
  public mutating func evaluation(step: Int, returns: [Double], lengths: [Int]) throws {
    try evaluations.append(step: step, returns: returns, lengths: lengths)
    try append(step: step, ["evaluation/return": returns.mean, "evaluation/deviation": returns.deviation])
  }

  public var position: Position {
    let told: EpisodeLog.Position? =
      switch episodes {
      case .some(let log): log.position
      case .none: nil
      }
    return Position(
      metrics: metrics.byteCount, events: events.position, episodes: told, evaluations: evaluations.count)
  }

  /// Makes all that was told last through a power cut.
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
  /// Takes files for empty that are gone. Returns the names of those that had something in them.
  fileprivate mutating func forget(where isGone: (String) -> Bool) -> [String] {
    var gone: [String] = []
    func keep(_ name: String, _ count: inout Int) {
      guard count > 0, isGone(name) else { return }
      gone.append(name)
      count = 0
    }
    keep("metrics.jsonl", &metrics)
    keep(EvaluationLog.name, &evaluations)
    keep(events.file, &events.byteCount)
    if var told = episodes {
      keep("monitor.csv", &told.monitor)
      keep("scores.jsonl", &told.scores)
      episodes = told
    }
    return gone
  }
}
