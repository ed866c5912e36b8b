import Core
import Formats

/// The training episodes as the plotting tools of others read them: `monitor.csv` for those of Stable-Baselines3 and
/// rl-zoo3, `scores.jsonl` for those of DreamerV3.
struct EpisodeLog: ~Copyable {
  struct Position: Codable, Sendable, Hashable {
    var monitor: Int
    var scores: Int
    /// Nanoseconds from 1970 to the start of the run, from which `monitor.csv` counts.
    var start: Int
  }

  private var monitor: AppendedFile
  private var scores: AppendedFile
  private let start: Int
  var position: Position { Position(monitor: monitor.byteCount, scores: scores.byteCount, start: start) }

  /// - Parameter kept: what a checkpoint has of the run; nil where no episode had ended.
  init(in run: RunDirectory, keeping kept: Position?) throws {
    // A time before 1970 or far ahead is none: the differences from it must be numbers.
    start = kept.map { min(max($0.start, 0), nanoseconds()) } ?? nanoseconds()
    var monitor = try AppendedFile(path: run.file("monitor.csv"), keeping: kept?.monitor ?? 0)
    let scores = try AppendedFile(path: run.file("scores.jsonl"), keeping: kept?.scores ?? 0)
    if monitor.byteCount == 0 {
      let header: JSON = ["t_start": .number(Double(start) / 1e9), "env_id": .string(try run.facts().environment)]
      try monitor.append(Array("#\(header)\nr,l,t\n".utf8))
    }
    self.monitor = monitor
    self.scores = scores
  }

  /// - Parameters:
  ///   - length: in simulator steps, whose sum Stable-Baselines3 plots against.
  ///   - step: the simulator steps of all environments when the episode ended.
  mutating func append(return sum: Double, length: Int, step: Int) throws {
    let seconds = Double((nanoseconds() - start) / 1000) / 1e6
    try monitor.append(Array("\(sum),\(length),\(seconds)\n".utf8))
    try scores.append(
      line(["step": .integer(step), "episode/score": .number(sum), "episode/length": .integer(length)]))
  }

  func synchronize() throws {
    try monitor.synchronize()
    try scores.synchronize()
  }
}
