#if canImport(Glibc)
  import Glibc
#else
  import Foundation
#endif

/// A memory-mapped file. Pages are read from disk on first access, and the system may evict them.
///
/// Files written by this package are complete when they get their name, and never change after that. If another program
/// truncates a mapped file, accessing it terminates this process.
@safe public final class MappedFile: Sendable {
  public let path: String
  public let count: Int
  private nonisolated(unsafe) let start: UnsafeRawPointer?

  /// Maps the file at `path`.
  ///
  /// - Throws: `WorldError` with the path and the system's reason.
  public init(path: String) throws {
    self.path = path
    let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
    guard descriptor >= 0 else { throw systemFailure(path) }
    defer { close(descriptor) }
    var status = stat()
    guard unsafe fstat(descriptor, &status) == 0 else { throw systemFailure(path) }
    guard status.st_mode & S_IFMT == S_IFREG else { throw WorldError(path: path, "is not a regular file") }
    count = Int(status.st_size)
    guard count > 0 else {
      unsafe start = nil
      return
    }
    let mapped = unsafe mmap(nil, count, PROT_READ, MAP_PRIVATE, descriptor, 0)
    guard let mapped = unsafe mapped, unsafe mapped != MAP_FAILED else { throw systemFailure(path) }
    unsafe start = UnsafeRawPointer(mapped)
  }

  deinit {
    if let start = unsafe start { unsafe munmap(UnsafeMutableRawPointer(mutating: start), count) }
  }

  /// Calls `body` with the bytes of the whole file.
  public func withBytes<Result>(_ body: (RawSpan) throws -> Result) rethrows -> Result {
    try unsafe body(RawSpan(_unsafeStart: start ?? UnsafeRawPointer(bitPattern: 8)!, byteCount: count))
  }
}
