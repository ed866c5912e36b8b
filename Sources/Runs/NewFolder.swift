import Core

#if canImport(Glibc)
  import Glibc
#else
  import Foundation
#endif

/// A folder of new results that appears complete: it is filled under a hidden name, and `commit` gives it its final
/// name. Without `commit` it is removed, with the parent folders that were made for it.
///
/// If the folder exists and is empty, it is kept with its owner and permissions, and the files are moved into it. It
/// may be the working directory, a mount point, the target of a link, or inside a folder without write permission.
public final class NewFolder: Sendable {
  /// The final path of the folder.
  public let place: String
  /// The path where its files are written before `commit`.
  public let path: String
  private let movesFiles: Bool
  /// The parent folders that did not exist, from the top.
  private let parents: [String]
  /// Locked while the folder is being filled. A temporary folder without a lock was left by a process that has ended.
  private let descriptor: Int32

  /// - Parameter flag: The flag to change if there are results already, such as `--out`, for error messages.
  /// - Throws: `InputError` if the folder is not empty, `WorldError` with the path and the system's reason.
  public init(at path: String, flag: String = "--out") throws {
    var place = path
    while place.hasSuffix("/") && place.count > 1 { place.removeLast() }
    guard !place.isEmpty else { throw InputError("the name of the folder is empty: give one with \(flag)") }
    movesFiles = isFolder(place)
    let stem: String
    if movesFiles {
      try Self.finishMove(into: place)
      Self.removeRemains("\(place)/.new.")
      guard try folderEntries(place).isEmpty else {
        throw InputError("\(place) exists and is not empty: choose another folder with \(flag), or remove it")
      }
      (stem, parents) = ("\(place)/.new.", [])
    } else {
      var status = stat()
      if unsafe lstat(place, &status) == 0 {
        throw WorldError(
          path: place,
          exists(place)
            ? "exists and is not a folder" : "is a link to a folder that does not exist: make that folder first")
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
    // Remove a link with that name, rather than follow it.
    unsafe unlink(self.path)
    UnfinishedPaths.insert(self.path)
    guard unsafe mkdir(self.path, 0o755) == 0 else {
      let failure = systemFailure(place)
      UnfinishedPaths.remove(self.path)
      throw failure
    }
    descriptor = unsafe open(self.path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    // If the file system has no locks, leftovers are not removed.
    if descriptor >= 0 { flock(descriptor, LOCK_EX | LOCK_NB) }
  }

  deinit {
    // Does nothing after `commit`, when this name no longer exists.
    removeTree(path)
    UnfinishedPaths.remove(path)
    for folder in parents.reversed() { unsafe rmdir(folder) }
    if descriptor >= 0 { close(descriptor) }
  }

  /// Gives the folder its final name, or moves its files into the existing empty folder.
  ///
  /// - Parameter last: The file that marks the folder as complete. If files are moved, it is moved last.
  public func commit(last: String? = nil) throws {
    UnfinishedPaths.remove(path)
    guard movesFiles else {
      guard unsafe rename(path, place) == 0 else { throw systemFailure(place) }
      return try synchronizeFolder(of: place)
    }
    // This name marks it as complete: if the move is interrupted, `finishMove` repeats it.
    let complete = Self.complete(place)
    guard unsafe rename(path, complete) == 0 else { throw systemFailure(place) }
    try Self.move(from: complete, into: place, last: last)
  }

  /// Whether a name belongs to a folder that is being filled, such as `.runs.1234.partial`.
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

  /// Completes a move into a folder that a killed process left unfinished.
  ///
  /// - Throws: `WorldError` with the path.
  public static func finishMove(into place: String) throws {
    let complete = complete(place)
    guard isFolder(complete), isUnlocked(complete) else { return }
    try move(from: complete, into: place, last: nil)
  }

  /// Removes the temporary folders that killed processes left for the same folder.
  private static func removeRemains(_ stem: String) {
    let split = stem.lastIndex(of: "/").map { stem.index(after: $0) } ?? stem.startIndex
    let above = String(stem[..<split])
    // A folder may be writable but not readable.
    for name in (try? folderEntries(above.isEmpty ? "." : above)) ?? [] where name.hasPrefix(stem[split...]) {
      let digits = name.dropFirst(stem[split...].count).prefix { $0.isNumber }
      guard !digits.isEmpty, name.hasSuffix("\(digits).partial"), isUnlocked(above + name) else { continue }
      removeTree(above + name)
    }
  }

  /// Whether no process holds the lock of a folder. False if locks are not supported.
  private static func isUnlocked(_ path: String) -> Bool {
    let descriptor = unsafe open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
    guard descriptor >= 0 else { return false }
    defer { close(descriptor) }
    return flock(descriptor, LOCK_EX | LOCK_NB) == 0
  }
}

/// Returns the folders of a path that do not exist, from the top.
private func missingFolders(to path: String) -> [String] {
  var missing: [String] = []
  for index in path.indices where path[index] == "/" && index > path.startIndex {
    let folder = String(path[..<index])
    if !exists(folder) { missing.append(folder) }
  }
  return missing
}

/// Removes a file, or a folder with its contents. Removes links without following them. Ignores errors.
private func removeTree(_ path: String) {
  let (parent, name) = split(path)
  try? Folder(path: parent, followingLink: true).remove(name)
}
