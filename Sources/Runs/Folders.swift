import Core

#if canImport(Glibc)
  import Glibc
#else
  import Foundation
#endif

/// The path itself, or one with `-2`, `-3`, … before the ending where that exists: for names made of the time, which two
/// commands of one second share.
public func unusedPath(_ stem: String, ending: String = "") -> String {
  var (path, number) = (stem + ending, 2)
  while exists(path) {
    path = "\(stem)-\(number)\(ending)"
    number += 1
  }
  return path
}

/// Makes a folder and those above it; one that exists is fine.
public func makeFolder(_ path: String) throws {
  guard !path.isEmpty else { throw InputError("a folder's name is not empty") }
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

/// Makes a folder that lies in its parent itself; one that exists is fine, a link to one is refused with `WorldError`.
public func makeOwnFolder(_ path: String) throws {
  try makeFolder(path)
  _ = try Folder(path: path)
}

/// Removes from a run's folder the unfinished files and folders of a process that was killed: what `AtomicFile` and
/// `NewFolder` call theirs, and nothing else.
func removeLeftovers(in folder: Folder) throws {
  for name in try folder.names() where AtomicFile.isTemporary(name) || NewFolder.isUnfinished(name) {
    try folder.remove(name)
  }
}

/// The names in a folder in order, without `.` and `..`.
public func folderEntries(_ path: String) throws -> [String] { try Folder(path: path, followingLink: true).names() }

/// The folders in a folder in order, but for hidden ones and what a process that was killed left unfinished.
func visibleFolders(in folder: String) throws -> [String] {
  try folderEntries(folder).filter { !$0.hasPrefix(".") && !$0.hasSuffix(".partial") }.map { "\(folder)/\($0)" }
    .filter(isFolder)
}

/// Whether a folder of this name exists.
public func isFolder(_ path: String) -> Bool {
  var status = stat()
  return unsafe stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
}

/// Whether anything of this name exists.
public func exists(_ path: String) -> Bool { unsafe access(path, F_OK) == 0 }

/// The path of what exists, from the root and without links.
public func absolutePath(_ path: String) throws -> String {
  guard let resolved = unsafe realpath(path, nil) else { throw systemFailure(path) }
  defer { unsafe free(resolved) }
  return unsafe String(cString: resolved)
}
