import Core

#if canImport(Glibc)
  import Glibc
#else
  import Foundation
#endif

/// A folder being filled; what is left of it when the writer gives up is removed.
final class UnfinishedFolder: Sendable {
  let path: String
  private let parent: Folder
  private let name: String

  init(of path: String) throws {
    let (place, final) = split(path)
    parent = try Folder(path: place, followingLink: true)
    name = "\(final).\(getpid()).partial"
    self.path = "\(path).\(getpid()).partial"
    try parent.remove(name)
    _ = try parent.makeFolder(name)
  }

  deinit {
    // Gone under this name once renamed.
    try? parent.remove(name)
  }

  /// Whether a name is that of such a folder.
  static func isUnfinished(_ name: String) -> Bool {
    let parts = name.split(separator: ".", omittingEmptySubsequences: false)
    guard parts.count >= 3, parts.last == "partial" else { return false }
    let number = parts[parts.count - 2]
    return !number.isEmpty && number.utf8.allSatisfy(isDigit)
  }
}
