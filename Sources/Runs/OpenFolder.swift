import Core

#if canImport(Glibc)
  import Glibc
#else
  import Foundation
#endif

/// A folder that a process goes on with when it is renamed or moved, even where another one takes its name.
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

  /// As it was given for as long as that is the folder, then where it is now.
  var path: String {
    var (named, opened) = (stat(), stat())
    guard unsafe fstat(descriptor, &opened) == 0,
      unsafe stat(given, &named) != 0 || named.st_ino != opened.st_ino || named.st_dev != opened.st_dev
    else { return given }
    // What was removed has no path: the next call that needs one says so. Systems without /proc keep to the name.
    return (try? absolutePath("/proc/self/fd/\(descriptor)")) ?? given
  }

  static func == (a: OpenFolder, b: OpenFolder) -> Bool { a === b }
  func hash(into hasher: inout Hasher) { hasher.combine(ObjectIdentifier(self)) }
}
