import Core

#if canImport(Glibc)
  import Glibc
#else
  import Foundation
#endif

/// A folder of new results that appears whole: it is filled under a hidden name, and `commit` gives it its own. Without
/// `commit` nothing remains, not even the folders above it that were made for it.
///
/// An empty folder that exists stays, with its owner and permissions, and the files move into it: it may be the working
/// directory, a mount point, or lie behind a link or in a folder that cannot be written.
public final class NewFolder: Sendable {
  /// The folder as it will be.
  public let place: String
  /// Where its files are written before `commit`.
  public let path: String
  private let movesFiles: Bool
  /// The folders above it that did not exist, from the top.
  private let parents: [String]
  /// Locked for as long as the folder is being filled: what has no lock was left by a process that is gone.
  private let descriptor: Int32

  /// - Parameter flag: what to change where there are results already, such as `--out`.
  /// - Throws: `InputError` where the folder has something in it, `WorldError` with the path and the system's reason.
  public init(at path: String, flag: String = "--out") throws {
    var place = path
    while place.hasSuffix("/") && place.count > 1 { place.removeLast() }
    guard !place.isEmpty else { throw InputError("a folder's name is not empty: give one with \(flag)") }
    movesFiles = isFolder(place)
    let stem: String
    if movesFiles {
      try Self.finishMove(into: place)
      Self.removeRemains("\(place)/.new.")
      guard try folderEntries(place).isEmpty else {
        throw InputError("\(place) exists and is not empty: give another folder with \(flag), or remove it")
      }
      (stem, parents) = ("\(place)/.new.", [])
    } else {
      var status = stat()
      if unsafe lstat(place, &status) == 0 {
        throw WorldError(
          path: place,
          exists(place) ? "exists and is not a folder" : "is a link to a folder that does not exist: make that first")
      }
      let split = place.lastIndex(of: "/").map { place.index(after: $0) } ?? place.startIndex
      let above = String(place[..<split])
      parents = missingFolders(to: above)
      if above.count > 1 { try makeFolder(String(above.dropLast())) }
      stem = "\(above).\(place[split...])."
      Self.removeRemains(stem)
    }
    self.place = place
    self.path = "\(stem)\(getpid()).partial"
    // A link of that name is no folder of ours, and is not followed.
    unsafe unlink(self.path)
    guard unsafe mkdir(self.path, 0o755) == 0 else { throw systemFailure(place) }
    descriptor = unsafe open(self.path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    // A file system without locks: remains are then left alone.
    if descriptor >= 0 { flock(descriptor, LOCK_EX | LOCK_NB) }
  }

  deinit {
    // Gone under this name once it is committed.
    removeTree(path)
    for folder in parents.reversed() { unsafe rmdir(folder) }
    if descriptor >= 0 { close(descriptor) }
  }

  /// Puts all under its name.
  ///
  /// - Parameter last: the file by which the folder is known: where files move, it moves last.
  public func commit(last: String? = nil) throws {
    guard movesFiles else {
      guard unsafe rename(path, place) == 0 else { throw systemFailure(place) }
      return try synchronizeFolder(of: place)
    }
    // By this name it is known to be complete: what follows can be done again.
    let complete = Self.complete(place)
    guard unsafe rename(path, complete) == 0 else { throw systemFailure(place) }
    try Self.move(from: complete, into: place, last: last)
  }

  /// Whether a name is that of a folder being filled, `.runs.1234.partial`.
  static func isUnfinished(_ name: String) -> Bool {
    let parts = name.split(separator: ".", omittingEmptySubsequences: false)
    guard parts.count >= 3, parts.last == "partial" else { return false }
    let number = parts[parts.count - 2]
    return !number.isEmpty && number.utf8.allSatisfy(isDigit)
  }

  private static func complete(_ place: String) -> String { "\(place)/.complete.0.partial" }

  private static func move(from complete: String, into place: String, last: String?) throws {
    let names = try folderEntries(complete)
    for name in names.filter({ $0 != last }) + names.filter({ $0 == last }) {
      guard unsafe rename("\(complete)/\(name)", "\(place)/\(name)") == 0 else { throw systemFailure(place) }
    }
    guard unsafe rmdir(complete) == 0 else { throw systemFailure(complete) }
    try Folder(path: place, followingLink: true).synchronize()
  }

  /// Ends what a process began that was killed while it moved complete files into a folder.
  ///
  /// - Throws: `WorldError` with the path.
  public static func finishMove(into place: String) throws {
    let complete = complete(place)
    guard isFolder(complete), isUnlocked(complete) else { return }
    try move(from: complete, into: place, last: nil)
  }

  /// Removes what processes that were killed left of the same folder.
  private static func removeRemains(_ stem: String) {
    let split = stem.lastIndex(of: "/").map { stem.index(after: $0) } ?? stem.startIndex
    let above = String(stem[..<split])
    // A folder may take new names and yet not be listed.
    for name in (try? folderEntries(above.isEmpty ? "." : above)) ?? [] where name.hasPrefix(stem[split...]) {
      let digits = name.dropFirst(stem[split...].count).prefix { $0.isNumber }
      guard !digits.isEmpty, name.hasSuffix("\(digits).partial"), isUnlocked(above + name) else { continue }
      removeTree(above + name)
    }
  }

  /// Whether no process holds the lock of a folder; not where locks are unknown.
  private static func isUnlocked(_ path: String) -> Bool {
    let descriptor = unsafe open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
    guard descriptor >= 0 else { return false }
    defer { close(descriptor) }
    return flock(descriptor, LOCK_EX | LOCK_NB) == 0
  }
}

/// The folders of a path that do not exist, from the top.
private func missingFolders(to path: String) -> [String] {
  var missing: [String] = []
  for index in path.indices where path[index] == "/" && index > path.startIndex {
    let folder = String(path[..<index])
    if !exists(folder) { missing.append(folder) }
  }
  return missing
}

/// Removes a file, or a folder with all that is in it; links are removed and not followed. What cannot be removed stays.
private func removeTree(_ path: String) {
  let (place, name) = split(path)
  try? Folder(path: place, followingLink: true).remove(name)
}
