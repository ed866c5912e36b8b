import Core

#if canImport(Glibc)
  import Glibc
#else
  import Foundation
#endif

/// A folder that a process keeps using after it is renamed or moved, even if another folder takes its name.
final class OpenFolder: Sendable, Hashable {
  private let given: String
  private let descriptor: Int32

  /// Throws `WorldError` with the path.
  init(_ path: String) throws {
    descriptor = unsafe open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard descriptor >= 0 else { throw systemFailure(path) }
    given = path
  }

  deinit { close(descriptor) }

  /// The path as given while it still leads to the folder, otherwise the folder's current path.
  var path: String {
    var (named, opened) = (stat(), stat())
    guard unsafe fstat(descriptor, &opened) == 0,
      unsafe stat(given, &named) != 0 || named.st_ino != opened.st_ino || named.st_dev != opened.st_dev
    else { return given }
    // A removed folder has no path; the next call that uses the old one fails. Systems without /proc keep the old path.
    return (try? absolutePath("/proc/self/fd/\(descriptor)")) ?? given
  }

  static func == (a: OpenFolder, b: OpenFolder) -> Bool { a === b }
  func hash(into hasher: inout Hasher) { hasher.combine(ObjectIdentifier(self)) }
}
