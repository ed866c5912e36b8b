import CLinux

#if canImport(Glibc)
  import Glibc
#else
  import Foundation
#endif

/// A file descriptor that is closed with its owner.
public struct Descriptor: ~Copyable {
  public let number: Int32

  public init(number: Int32) { self.number = number }

  deinit { close(number) }

  /// A file in memory that no name leads to.
  ///
  /// - Parameter bytes: what it holds, to be read from the start.
  public static func memory(holding bytes: [UInt8] = []) throws -> Descriptor {
    let file = Descriptor(number: unsafe linux_memory_file("pixelrl"))
    guard file.number >= 0 else { throw systemFailure("a file in memory") }
    var done = 0
    while done < bytes.count {
      let put = unsafe bytes.withUnsafeBytes { buffer in
        unsafe pwrite(file.number, buffer.baseAddress! + done, buffer.count - done, off_t(done))
      }
      guard put > 0 else { throw systemFailure("a file in memory") }
      done += put
    }
    return file
  }
  /// Forbids everyone to change the size of a file in memory. False, and `errno`, where that fails.
  public func sealSize() -> Bool { linux_seal_size(number) == 0 }
}
