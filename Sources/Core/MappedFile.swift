#if canImport(Glibc)
  import Glibc
#else
  import Foundation
#endif

/// A file's bytes, mapped into memory: only what is touched is read, and the system may drop it again.
///
/// Files that this package writes appear under their name when complete and never change after; a file that another
/// program shortens while it is mapped ends this one.
@safe public final class MappedFile: Sendable {
  public let path: String
  public let count: Int
  private nonisolated(unsafe) let start: UnsafeRawPointer?

  /// Throws `WorldError` with the path and the system's reason.
  public init(path: String) throws {
    self.path = path
    let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
    guard descriptor >= 0 else { throw systemFailure(path) }
    defer { close(descriptor) }
    var status = stat()
    guard unsafe fstat(descriptor, &status) == 0 else { throw systemFailure(path) }
    guard status.st_mode & S_IFMT == S_IFREG else { throw WorldError(path: path, "is not an ordinary file") }
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

  /// The bytes of the whole file.
  public func withBytes<Result>(_ body: (RawSpan) throws -> Result) rethrows -> Result {
    try unsafe body(RawSpan(_unsafeStart: start ?? UnsafeRawPointer(bitPattern: 8)!, byteCount: count))
  }
}
