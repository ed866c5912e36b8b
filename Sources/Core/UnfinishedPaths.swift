import Synchronization

#if canImport(Glibc)
  import Glibc
#else
  import Foundation
#endif

/// Files and folders that this process is writing under temporary names. A signal that ends the program removes them, as
/// an error does.
public enum UnfinishedPaths {
  private static let paths = Mutex<Set<String>>([])
  private static let areDeleted = Atomic<Bool>(false)

  /// Adds a path that is about to be made. Never returns once they are being deleted.
  public static func insert(_ path: String) {
    waitIfDeleted()
    paths.withLock { _ = $0.insert(path) }
  }

  public static func remove(_ path: String) { paths.withLock { _ = $0.remove(path) } }

  /// Removes all of them from the disk, before the program ends.
  public static func delete() {
    areDeleted.store(true, ordering: .sequentiallyConsistent)
    // Again, because another thread may have been about to make a file.
    for _ in 0..<3 {
      for path in paths.withLock({ $0 }).sorted() {
        let (parent, name) = split(path)
        try? Folder(path: parent, followingLink: true).remove(name)
      }
    }
  }

  /// Never returns once they are being deleted: an error that follows from missing files is not reported.
  public static func waitIfDeleted() {
    while areDeleted.load(ordering: .sequentiallyConsistent) { _ = pause() }
  }
}
