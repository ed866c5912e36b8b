#if canImport(Glibc)
  import Glibc
#else
  import Foundation
#endif

/// Standard input as lines and bytes in turns. Swift's `readLine` would keep bytes that follow a line in its own buffer.
public struct StandardInput {
  private var buffer: [UInt8] = []
  private var start = 0

  public init() {}

  /// Returns the next line without its end; nil at the end of the input.
  ///
  /// - Throws: `WorldError` if the input cannot be read.
  public mutating func line() throws -> String? {
    var searched = start
    while true {
      if let end = buffer[searched...].firstIndex(of: UInt8(ascii: "\n")) {
        defer { start = end + 1 }
        return String(decoding: buffer[start..<end], as: UTF8.self)
      }
      let rest = buffer.count - start
      guard try fill() else {
        guard rest > 0 else { return nil }
        defer { start = buffer.count }
        return String(decoding: buffer[start...], as: UTF8.self)
      }
      searched = start + rest
    }
  }

  /// Returns the next `count` bytes, or fewer at the end of the input.
  ///
  /// - Throws: `WorldError` if the input cannot be read.
  public mutating func bytes(_ count: Int) throws -> [UInt8] {
    while buffer.count - start < count, try fill() {}
    let end = min(start + count, buffer.count)
    defer { start = end }
    return Array(buffer[start..<end])
  }

  /// Appends what can be read at once, and returns whether it was anything.
  private mutating func fill() throws -> Bool {
    buffer.removeFirst(start)
    start = 0
    var chunk = [UInt8](repeating: 0, count: 1 << 16)
    while true {
      let count = unsafe chunk.withUnsafeMutableBytes { unsafe read(STDIN_FILENO, $0.baseAddress, $0.count) }
      if count < 0 && errno == EINTR { continue }
      guard count >= 0 else { throw systemFailure("standard input") }
      buffer += chunk[..<count]
      return count > 0
    }
  }
}
