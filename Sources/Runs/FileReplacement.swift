import Core

/// Puts files into a folder, in place of those that were put there earlier; what else lies in it stays.
///
/// A link under the folder's name is removed, not entered. All files are written before one of them is given its name: a disk
/// that is full changes nothing.
///
/// - Parameters:
///   - files: the first is the record of all, which `earlier` reads.
///   - earlier: the names that an earlier record lists; nil where it is none.
/// - Returns: the folder's path.
/// - Throws: `WorldError` with the path, also of a file that would be lost and that no earlier record lists.
@discardableResult
public func replaceFiles(
  inFolder name: String, of parent: Folder, _ files: [(name: String, bytes: [UInt8])],
  earlier: (_ record: [UInt8]) -> [String]?
) throws -> String {
  if parent.kind(of: name) == .link { try parent.remove(name) }
  let folder = try parent.kind(of: name) == nil ? parent.makeFolder(name) : parent.folder(name)
  try removeLeftovers(in: folder)
  let record = files[0].name
  var own: Set<String> = []
  if folder.kind(of: record) == .file, let names = earlier(try folder.bytes(of: record, limit: 1 << 26)) {
    own = Set(names.filter(Folder.isPlain)).union([record])
  }
  let names = Set(files.map(\.name))
  for name in names.sorted() where !own.contains(name) && folder.kind(of: name) != nil {
    throw WorldError(path: folder.path(of: name), "is not a file that was written here before: move it elsewhere")
  }
  try replace(files[...], in: folder) {
    // The record last of what goes and first of what comes: it lists no less than there is.
    for name in own.subtracting(names).sorted() where folder.kind(of: name) == .file { try folder.remove(name) }
  }
  return folder.path
}

/// Writes all files, then calls `clear`, then gives them their names, the first one first.
private func replace(
  _ files: ArraySlice<(name: String, bytes: [UInt8])>, in folder: Folder, _ clear: () throws -> Void
) throws {
  guard let file = files.last else { return try clear() }
  var written = try AtomicFile(file.name, in: folder)
  try written.append(file.bytes)
  try replace(files.dropLast(), in: folder, clear)
  try written.commit()
}
