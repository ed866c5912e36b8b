#if canImport(Glibc)
  import Glibc
#else
  import Foundation
#endif

/// The three standard streams. The caller of the program may have closed any of them, and writes may fail.
public enum StandardStreams {
  /// Opens `/dev/null` for each standard stream that is closed. Otherwise a file opened later could get its number, and
  /// messages would be written to that file. Messages to a closed standard error are dropped; writes to a closed
  /// standard output fail.
  public static func open() {
    for number in [STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO] where fcntl(number, F_GETFD) < 0 {
      let flags = number == STDERR_FILENO ? O_WRONLY : O_RDONLY
      // `open` returns the lowest free number. It is this one, because the lower ones are taken.
      _ = unsafe Glibc.open("/dev/null", flags)
    }
  }

  /// Writes a line to standard output at once.
  ///
  /// - Throws: `WorldError` if the line cannot be written, unlike Swift's `print`, which ignores a full disk;
  ///   `ClosedPipe` if the reader has closed the pipe.
  public static func print(_ line: String) throws {
    try write(Array((line + "\n").utf8))
  }

  /// Writes bytes to standard output at once, and throws as `print` does.
  public static func write(_ bytes: [UInt8]) throws {
    guard !put(bytes, to: STDOUT_FILENO) else { return }
    throw errno == EPIPE ? ClosedPipe() : systemFailure("standard output")
  }

  /// Writes a message to standard error. Errors are ignored: a message must not stop the program.
  public static func say(_ text: String, terminator: String = "\n") {
    _ = put(Array((text + terminator).utf8), to: STDERR_FILENO)
  }

  /// Returns whether all bytes were written; if not, `errno` has the reason.
  private static func put(_ bytes: [UInt8], to descriptor: Int32) -> Bool {
    var done = 0
    while done < bytes.count {
      let count = unsafe bytes.withUnsafeBytes { buffer in
        unsafe Glibc.write(descriptor, buffer.baseAddress! + done, buffer.count - done)
      }
      if count < 0 && errno == EINTR { continue }
      guard count > 0 else { return false }
      done += count
    }
    return true
  }
}

/// The error for standard output whose reader has closed the pipe, such as `head` after its last line.
public struct ClosedPipe: Error, CustomStringConvertible, Hashable {
  public let description = "standard output: the reader has closed the pipe"
  public init() {}
}
