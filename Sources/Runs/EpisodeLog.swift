import Core
import Formats

/// The training episodes in the formats of other plotting tools: `monitor.csv` for Stable-Baselines3 and rl-zoo3,
/// `scores.jsonl` for DreamerV3.
struct EpisodeLog: ~Copyable {
  struct Position: Codable, Sendable, Hashable {
    var monitor: Int
    var scores: Int
    /// The start of the run in nanoseconds since 1970. The times in `monitor.csv` are relative to it.
    var start: Int
  }

  private var monitor: AppendedFile
  private var scores: AppendedFile
  private let start: Int
  var position: Position { Position(monitor: monitor.byteCount, scores: scores.byteCount, start: start) }

  /// - Parameter kept: The position stored in a checkpoint of the run; nil if no episode had ended.
  init(in run: RunDirectory, keeping kept: Position?) throws {
    // Clamp a forged time, so that differences from it do not overflow.
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
  ///   - length: The length in simulator steps. Stable-Baselines3 uses their sum as the x-axis.
  ///   - step: The simulator steps of all environments when the episode ended.
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
