import Core
import Formats

/// Writes `metrics.jsonl`: one JSON object per line, `{"step":1000,"return":812.5}`. Values that are not finite become
/// null. The file has no times, so that an interrupted and resumed run writes the same bytes as an uninterrupted one.
public struct MetricsLog: ~Copyable {
  private var file: AppendedFile
  /// The size of all whole lines in bytes.
  public var byteCount: Int { file.byteCount }

  /// Opens a log to append to, truncated to `offset` bytes.
  ///
  /// - Parameter offset: The size stored in the checkpoint of a resumed run; 0 for a new run.
  /// - Throws: `WorldError` with the path and the system's reason, as do all methods here.
  public init(path: String, offset: Int = 0) throws { file = try AppendedFile(path: path, keeping: offset) }

  /// Writes one line.
  public mutating func append(step: Int, _ metrics: Metrics) throws {
    let members = metrics.entries.map { JSON.Member($0.name, .number($0.value)) }
    try file.append(line(.object([JSON.Member("step", .integer(step))] + members)))
  }

  /// Synchronises all lines to disk. Call it before writing a checkpoint that stores `byteCount`.
  public func synchronize() throws { try file.synchronize() }
}

/// The bytes of a line in a JSON Lines file.
func line(_ json: JSON) -> [UInt8] { Array((json.description + "\n").utf8) }
