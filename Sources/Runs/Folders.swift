import Core

#if canImport(Glibc)
  import Glibc
#else
  import Foundation
#endif

/// Returns the path itself or, if it exists, one with `-2`, `-3`, … before the ending. Names made of the time need this
/// if two commands start in the same second.
public func unusedPath(_ stem: String, ending: String = "") -> String {
  var (path, number) = (stem + ending, 2)
  while exists(path) {
    path = "\(stem)-\(number)\(ending)"
    number += 1
  }
  return path
}

/// Makes a folder and its parents. Does nothing if it exists.
public func makeFolder(_ path: String) throws {
  guard !path.isEmpty else { throw InputError("the name of a folder is empty") }
  if unsafe mkdir(path, 0o755) == 0 { return }
  let code = errno
  if code == EEXIST {
    guard isFolder(path) else { throw WorldError(path: path, "exists and is not a folder") }
    return
  }
  let trimmed = path.hasSuffix("/") ? String(path.dropLast()) : path
  guard code == ENOENT, let slash = trimmed.lastIndex(of: "/"), slash != trimmed.startIndex else {
    errno = code
    throw systemFailure(path)
  }
  try makeFolder(String(trimmed[..<slash]))
  guard unsafe mkdir(path, 0o755) == 0 || errno == EEXIST else { throw systemFailure(path) }
}

/// Makes a folder and its parents. Does nothing if it exists, and throws `WorldError` if it is a link to a folder.
public func makeOwnFolder(_ path: String) throws {
  try makeFolder(path)
  _ = try Folder(path: path)
}

/// Removes the unfinished files and folders of a killed process from a run directory: those with the temporary names of
/// `AtomicFile` and `NewFolder`, and nothing else.
func removeLeftovers(in folder: Folder) throws {
  for name in try folder.names() where AtomicFile.isTemporary(name) || NewFolder.isUnfinished(name) {
    try folder.remove(name)
  }
}

/// Returns the sorted names in a folder, without `.` and `..`.
public func folderEntries(_ path: String) throws -> [String] { try Folder(path: path, followingLink: true).names() }

/// Returns the sorted paths of the folders in a folder, without hidden ones and those that a killed process left
/// unfinished.
func visibleFolders(in folder: String) throws -> [String] {
  try folderEntries(folder).filter { !$0.hasPrefix(".") && !$0.hasSuffix(".partial") }.map { "\(folder)/\($0)" }
    .filter(isFolder)
}

/// Whether a folder with this path exists.
public func isFolder(_ path: String) -> Bool {
  var status = stat()
  return unsafe stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
}

/// Whether anything with this path exists.
public func exists(_ path: String) -> Bool { unsafe access(path, F_OK) == 0 }

/// Returns the absolute path of an existing file or folder, with links resolved.
public func absolutePath(_ path: String) throws -> String {
  guard let resolved = unsafe realpath(path, nil) else { throw systemFailure(path) }
  defer { unsafe free(resolved) }
  return unsafe String(cString: resolved)
}
