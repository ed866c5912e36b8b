import Core
import Formats

/// `metrics.jsonl`: one JSON object a line, `{"step":1000,"return":812.5}`; numbers that are not finite become null. It
/// holds no times, so that a run and its twin that was cut and resumed write the same bytes.
public struct MetricsLog: ~Copyable {
  private var file: AppendedFile
  /// The bytes of all whole lines.
  public var byteCount: Int { file.byteCount }

  /// Opens a log to append to, cut at `offset` where a checkpoint is resumed.
  ///
  /// Throws `WorldError` with the path and the system's reason, as do all others here.
  public init(path: String, offset: Int = 0) throws { file = try AppendedFile(path: path, keeping: offset) }

  /// Writes one line.
  public mutating func append(step: Int, _ metrics: Metrics) throws {
    let members = metrics.entries.map { JSON.Member($0.name, .number($0.value)) }
    try file.append(line(.object([JSON.Member("step", .integer(step))] + members)))
  }

  /// Makes all lines last through a power cut, before a checkpoint that stores `byteCount`.
  public func synchronize() throws { try file.synchronize() }
}

/// A line of a file of JSON lines.
func line(_ json: JSON) -> [UInt8] { Array((json.description + "\n").utf8) }
