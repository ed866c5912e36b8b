import CLinux

#if canImport(Glibc)
  import Glibc
#else
  import Foundation
#endif

/// A file descriptor that is closed when its owner is destroyed.
public struct Descriptor: ~Copyable {
  public let number: Int32

  public init(number: Int32) { self.number = number }

  deinit { close(number) }

  /// Creates an anonymous file in memory.
  ///
  /// - Parameter bytes: the file's contents. Reading starts at the first byte.
  /// - Throws: `WorldError` with the system's reason.
  public static func memory(holding bytes: [UInt8] = []) throws -> Descriptor {
    let file = Descriptor(number: unsafe linux_memory_file("pixelrl"))
    guard file.number >= 0 else { throw systemFailure("in-memory file") }
    var done = 0
    while done < bytes.count {
      let put = unsafe bytes.withUnsafeBytes { buffer in
        unsafe pwrite(file.number, buffer.baseAddress! + done, buffer.count - done, off_t(done))
      }
      guard put > 0 else { throw systemFailure("in-memory file") }
      done += put
    }
    return file
  }

  /// Returns the last line that is not empty, of the first 64 kB of an in-memory file.
  public func lastLine() -> String {
    var bytes = [UInt8](repeating: 0, count: 1 << 16)
    let count = unsafe pread(number, &bytes, bytes.count, 0)
    let lines = String(decoding: bytes.prefix(max(0, count)), as: UTF8.self).split(separator: "\n")
    return lines.last { !$0.allSatisfy(\.isWhitespace) }.map(String.init) ?? ""
  }

  /// Seals an in-memory file so that no process can change its size.
  ///
  /// - Returns: false if sealing fails; `errno` then has the reason.
  public func sealSize() -> Bool { linux_seal_size(number) == 0 }
}
