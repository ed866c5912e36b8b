import Core

#if canImport(Glibc)
  import Glibc
#else
  import Foundation
#endif

/// Puts a folder of files under `path` whole or not at all, in place of one that is there: `write` fills a folder beside
/// it, which then takes the name.
///
/// - Throws: `WorldError` with the path and the system's reason, or what `write` throws; the old folder is then as before.
public func replaceFolder(_ path: String, _ write: (_ folder: String) throws -> Void) throws {
  let split = path.lastIndex(of: "/").map { path.index(after: $0) } ?? path.startIndex
  let stem = "\(path[..<split]).\(path[split...]).\(getpid())"
  let (fresh, old) = ("\(stem)-new.partial", "\(stem)-old.partial")
  try removeFolder(fresh)
  try makeFolder(fresh)
  do { try write(fresh) } catch {
    try removeFolder(fresh)
    throw error
  }
  let isReplacing = isFolder(path)
  if isReplacing { guard unsafe rename(path, old) == 0 else { throw systemFailure(path) } }
  guard unsafe rename(fresh, path) == 0 else {
    let failure = systemFailure(path)
    if isReplacing { _ = unsafe rename(old, path) }
    throw failure
  }
  try removeFolder(old)
}
