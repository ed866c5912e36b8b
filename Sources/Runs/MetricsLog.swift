import Core

#if canImport(Glibc)
  import Glibc
#else
  import Foundation
#endif

/// `metrics.jsonl`: one JSON object a line, `{"step":1000,"return":812.5}`. A line is handed to the system whole when it
/// is written, so that a reader and a crash see whole lines; numbers that are not finite become null.
public struct MetricsLog: ~Copyable {
  public let path: String
  private let descriptor: Int32
  /// The bytes of all whole lines.
  public private(set) var byteCount: Int

  /// Opens a log to append to, cut at `offset` where a checkpoint is resumed.
  ///
  /// Throws `WorldError` with the path and the system's reason, as do all others here.
  public init(path: String, offset: Int = 0) throws {
    self.path = path
    byteCount = offset
    descriptor = unsafe open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0o644)
    guard descriptor >= 0 else { throw systemFailure(path) }
    guard ftruncate(descriptor, off_t(offset)) == 0 else { throw systemFailure(path) }
  }

  deinit { close(descriptor) }

  /// Writes one line.
  public mutating func append(step: Int, _ metrics: Metrics) throws {
    let members = metrics.entries.map { JSON.Member($0.name, .number($0.value)) }
    let line = Array((JSON.object([JSON.Member("step", .integer(step))] + members).description + "\n").utf8)
    var done = 0
    while done < line.count {
      let put = unsafe line.withUnsafeBytes { buffer in
        unsafe pwrite(descriptor, buffer.baseAddress! + done, buffer.count - done, off_t(byteCount + done))
      }
      if put < 0 && errno == EINTR { continue }
      guard put > 0 else {
        let failure = systemFailure(path)
        // Half a line would spoil the file for its readers; if even this fails, the first failure is the one to tell.
        _ = ftruncate(descriptor, off_t(byteCount))
        throw failure
      }
      done += put
    }
    byteCount += line.count
  }

  /// Makes all lines last through a power cut, before a checkpoint that stores `byteCount`.
  public func synchronize() throws {
    guard fsync(descriptor) == 0 else { throw systemFailure(path) }
  }
}
