#if canImport(Glibc)
  import Glibc
#else
  import Foundation
#endif

/// Writes `bytes` to `path` atomically: to a temporary file in the same folder, which is synced to disk and then
/// renamed.
///
/// - Throws: `WorldError` with the path and the system's reason. The temporary file is removed.
public func writeAtomically(_ bytes: [UInt8], to path: String) throws {
  var file = try AtomicFile(path: path)
  try file.append(bytes)
  try file.commit()
}

/// Reads the file at `path`. A file of more than `limit` bytes is rejected before it is read.
///
/// - Throws: `WorldError` with the path and the system's reason.
public func readBytes(from path: String, limit: Int = 1 << 32) throws -> [UInt8] {
  let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC)
  guard descriptor >= 0 else { throw systemFailure(path) }
  defer { close(descriptor) }
  return try readBytes(from: descriptor, path: path, limit: limit)
}

/// Reads an open file. `path` is used in error messages.
func readBytes(from descriptor: Int32, path: String, limit: Int) throws -> [UInt8] {
  var status = stat()
  guard unsafe fstat(descriptor, &status) == 0 else { throw systemFailure(path) }
  guard status.st_mode & S_IFMT != S_IFDIR else { throw WorldError(path: path, "is a folder, not a file") }
  let size = Int(status.st_size)
  guard size <= limit else {
    throw WorldError(path: path, "has \(size) bytes, more than the limit of \(limit)")
  }
  // One byte more than the reported size, to detect the end of the file.
  var bytes = [UInt8](repeating: 0, count: size + 1)
  var count = 0
  while true {
    let got = unsafe bytes.withUnsafeMutableBytes { buffer in
      unsafe read(descriptor, buffer.baseAddress! + count, buffer.count - count)
    }
    if got < 0 && errno == EINTR { continue }
    guard got >= 0 else { throw systemFailure(path) }
    if got == 0 { break }
    count += got
    guard count <= limit else { throw WorldError(path: path, "grew past the limit of \(limit) bytes") }
    if count == bytes.count { bytes.append(contentsOf: repeatElement(0, count: bytes.count)) }
  }
  bytes.removeLast(bytes.count - count)
  return bytes
}

/// A file that is written piece by piece to a temporary file. `commit` renames it to its final name; without `commit`
/// the temporary file is removed.
public struct AtomicFile: ~Copyable {
  public let path: String
  private let folder: Folder
  private let name: String
  private let temporary: String
  private var descriptor: Int32

  /// Opens a temporary file in the folder of `path`.
  ///
  /// - Throws: `WorldError` with the path and the system's reason.
  public init(path: String) throws {
    let (parent, name) = split(path)
    let folder: Folder
    do { folder = try Folder(path: parent, followingLink: true) } catch { throw systemFailure(path) }
    try self.init(name, in: folder, path: path)
  }

  /// Opens a temporary file in `folder`.
  ///
  /// - Throws: `WorldError` with the path and the system's reason.
  public init(_ name: String, in folder: Folder) throws {
    try self.init(name, in: folder, path: folder.path(of: name))
  }

  private init(_ name: String, in folder: Folder, path: String) throws {
    guard Folder.isPlain(name) else { throw WorldError(path: path, "is not a valid file name") }
    var attempt = 0
    while true {
      let candidate = ".\(name).\(getpid())-\(attempt).partial"
      UnfinishedPaths.insert(folder.path(of: candidate))
      let opened = folder.create(candidate)
      if opened >= 0 {
        (self.path, self.folder, self.name, temporary, descriptor) = (path, folder, name, candidate, opened)
        return
      }
      let reason = errno
      UnfinishedPaths.remove(folder.path(of: candidate))
      errno = reason
      guard reason == EEXIST || reason == EINTR else { throw systemFailure(path) }
      attempt += 1
    }
  }

  /// Returns whether `name` is the name of such a temporary file. A process that was killed leaves its temporary file
  /// behind.
  public static func isTemporary(_ name: String) -> Bool {
    let parts = name.split(separator: ".", omittingEmptySubsequences: false)
    guard parts.count >= 4, parts[0].isEmpty, parts.last == "partial" else { return false }
    let numbers = parts[parts.count - 2].split(separator: "-", omittingEmptySubsequences: false)
    return numbers.count == 2 && numbers.allSatisfy { !$0.isEmpty && $0.utf8.allSatisfy(isDigit) }
  }

  deinit {
    if descriptor >= 0 {
      close(descriptor)
      try? folder.remove(temporary)
      UnfinishedPaths.remove(folder.path(of: temporary))
    }
  }

  /// Appends `bytes` to the file.
  public mutating func append(_ bytes: [UInt8]) throws {
    var done = 0
    while done < bytes.count {
      let put = unsafe bytes.withUnsafeBytes { buffer in
        unsafe write(descriptor, buffer.baseAddress! + done, buffer.count - done)
      }
      if put < 0 && errno == EINTR { continue }
      guard put > 0 else { throw systemFailure(path) }
      done += put
    }
  }

  /// Overwrites bytes that were appended before, starting at `offset`.
  public mutating func overwrite(_ bytes: [UInt8], at offset: Int) throws {
    var done = 0
    while done < bytes.count {
      let put = unsafe bytes.withUnsafeBytes { buffer in
        unsafe pwrite(descriptor, buffer.baseAddress! + done, buffer.count - done, off_t(offset + done))
      }
      if put < 0 && errno == EINTR { continue }
      guard put > 0 else { throw systemFailure(path) }
      done += put
    }
  }

  /// Syncs the file to disk and renames it to its final name, replacing any file or link of that name.
  ///
  /// - Parameter isSynced: false for one of many small files whose loss in a power failure would be noticed.
  public consuming func commit(isSynced: Bool = true) throws {
    guard !isSynced || fsync(descriptor) == 0 else { throw systemFailure(path) }
    guard folder.move(temporary, to: name) == 0 else { throw systemFailure(path) }
    UnfinishedPaths.remove(folder.path(of: temporary))
    let closed = close(descriptor)
    descriptor = -1
    guard closed == 0 else { throw systemFailure(path) }
    if isSynced { try folder.synchronize() }
  }
}

/// Returns whether a byte is an ASCII decimal digit.
public func isDigit(_ byte: UInt8) -> Bool { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) }

/// Splits a path into its folder and its last component.
public func split(_ path: String) -> (folder: String, name: String) {
  guard let slash = path.lastIndex(of: "/") else { return (".", path) }
  return (slash == path.startIndex ? "/" : String(path[..<slash]), String(path[path.index(after: slash)...]))
}

/// Converts an environment's name to a valid file name: `gym:ALE/Pong-v5` becomes `gym-ALE-Pong-v5`.
public func fileName(of id: String) -> String {
  String(id.map { $0.isLetter || $0.isNumber || "-._".contains($0) ? $0 : "-" })
}

/// Syncs the folder of `path` to disk, so that the entry for `path` survives a power failure.
///
/// - Throws: `WorldError` with the path and the system's reason.
public func synchronizeFolder(of path: String) throws {
  try Folder(path: split(path).folder, followingLink: true).synchronize()
}

/// Returns an error with the path and the message for the current `errno`.
public func systemFailure(_ path: String) -> WorldError {
  let code = errno
  return WorldError(path: path, unsafe String(cString: strerror(code)))
}
