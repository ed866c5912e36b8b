import Core

#if canImport(Glibc)
  import Glibc
#else
  import Foundation
#endif

/// A folder being filled; what is left of it when the writer gives up is removed.
final class UnfinishedFolder: Sendable {
  let path: String

  init(of path: String) throws {
    self.path = "\(path).\(getpid()).partial"
    try makeFolder(self.path)
  }

  deinit {
    // Gone under this name once renamed.
    for name in (try? folderEntries(path)) ?? [] { unsafe unlink("\(path)/\(name)") }
    unsafe rmdir(path)
  }
}
