import Core

/// Writes files into a folder. Removes the files of an earlier call and keeps all other files.
///
/// If the folder's name is a link, the link is removed and not followed. All files are written completely before the
/// first one gets its final name, so that a full disk changes nothing.
///
/// - Parameters:
///   - files: The files. The first one is the record that lists all of them, which `earlier` reads.
///   - earlier: Returns the names that an earlier record lists, or nil if the bytes are not a record.
/// - Returns: The folder's path.
/// - Throws: `WorldError` with the path, also if a file that no earlier record lists would be overwritten.
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
    throw WorldError(
      path: folder.path(of: name), "would be overwritten, but was not written by pixelrl: move it elsewhere")
  }
  try replace(files[...], in: folder) {
    // The record is removed last and written first, so that it always lists every file of this function.
    for name in own.subtracting(names).sorted() where folder.kind(of: name) == .file { try folder.remove(name) }
  }
  return folder.path
}

/// Writes all files under temporary names, then calls `clear`, then renames them, the first one first.
private func replace(
  _ files: ArraySlice<(name: String, bytes: [UInt8])>, in folder: Folder, _ clear: () throws -> Void
) throws {
  guard let file = files.last else { return try clear() }
  var written = try AtomicFile(file.name, in: folder)
  try written.append(file.bytes)
  try replace(files.dropLast(), in: folder, clear)
  try written.commit()
}
