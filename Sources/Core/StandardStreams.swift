#if canImport(Glibc)
  import Glibc
#else
  import Foundation
#endif

/// The three streams that a program begins with, any of which its caller may have closed or filled.
public enum StandardStreams {
  /// Puts something in the place of streams that are closed, before any file can take their numbers: a message would be
  /// written into it. Standard error goes nowhere then; what is written to standard output fails, as it should.
  public static func open() {
    for number in [STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO] where fcntl(number, F_GETFD) < 0 {
      let flags = number == STDERR_FILENO ? O_WRONLY : O_RDONLY
      // The lowest free number: this one, as those below are taken.
      _ = unsafe Glibc.open("/dev/null", flags)
    }
  }

  /// Writes a line to standard output at once.
  ///
  /// Throws `WorldError` where it cannot be written, unlike `print`: a full disk must not look like success.
  /// `ClosedPipe` where its reader has gone.
  public static func print(_ line: String) throws {
    try write(Array((line + "\n").utf8))
  }

  /// Writes bytes to standard output at once, and throws as `print` does.
  public static func write(_ bytes: [UInt8]) throws {
    guard !put(bytes, to: STDOUT_FILENO) else { return }
    throw errno == EPIPE ? ClosedPipe() : systemFailure("standard output")
  }

  /// Writes a message to standard error. One that cannot be written is dropped: no work is lost for a message.
  public static func say(_ text: String, terminator: String = "\n") {
    _ = put(Array((text + terminator).utf8), to: STDERR_FILENO)
  }

  /// Whether all was written; else `errno` says why not.
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

/// Whoever read standard output has gone, such as `head` after its last line: there is nobody to say more to.
public struct ClosedPipe: Error, CustomStringConvertible, Hashable {
  public let description = "standard output: its reader has gone"
  public init() {}
}
