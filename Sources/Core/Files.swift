#if canImport(Glibc)
  import Glibc
#else
  import Foundation
#endif

/// Puts `bytes` under `path` whole or not at all: a temporary file beside it, synchronised to the disk, then renamed.
///
/// Throws `WorldError` with the path and the system's reason; the temporary file is then removed.
public func writeAtomically(_ bytes: [UInt8], to path: String) throws {
  var file = try AtomicFile(path: path)
  try file.append(bytes)
  try file.commit()
}

/// The bytes of the file at `path`; a file of more than `limit` bytes is refused before it is read.
///
/// Throws `WorldError` with the path and the system's reason.
public func readBytes(from path: String, limit: Int = 1 << 32) throws -> [UInt8] {
  let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC)
  guard descriptor >= 0 else { throw systemFailure(path) }
  defer { close(descriptor) }
  return try readBytes(from: descriptor, path: path, limit: limit)
}

/// The same for a file that is open. `path` is for messages.
func readBytes(from descriptor: Int32, path: String, limit: Int) throws -> [UInt8] {
  var status = stat()
  guard unsafe fstat(descriptor, &status) == 0 else { throw systemFailure(path) }
  guard status.st_mode & S_IFMT != S_IFDIR else { throw WorldError(path: path, "is a folder, not a file") }
  let size = Int(status.st_size)
  guard size <= limit else {
    throw WorldError(path: path, "has \(size) bytes, more than the \(limit) that are read")
  }
  // One byte more than the stated size, so that the end of the file is seen.
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
    guard count <= limit else { throw WorldError(path: path, "grew past the \(limit) bytes that are read") }
    if count == bytes.count { bytes.append(contentsOf: repeatElement(0, count: bytes.count)) }
  }
  bytes.removeLast(bytes.count - count)
  return bytes
}

/// A file written piece by piece that appears under its name only when it is complete: `commit` renames it there, and
/// without `commit` nothing remains.
public struct AtomicFile: ~Copyable {
  public let path: String
  private let folder: Folder
  private let name: String
  private let temporary: String
  private var descriptor: Int32

  /// Opens a temporary file in the folder of `path`. Throws `WorldError` with the path and the system's reason.
  public init(path: String) throws {
    let (parent, name) = split(path)
    let folder: Folder
    do { folder = try Folder(path: parent, followingLink: true) } catch { throw systemFailure(path) }
    try self.init(name, in: folder, path: path)
  }

  /// Opens a temporary file in a folder. Throws `WorldError` with the path and the system's reason.
  public init(_ name: String, in folder: Folder) throws {
    try self.init(name, in: folder, path: folder.path(of: name))
  }

  private init(_ name: String, in folder: Folder, path: String) throws {
    guard Folder.isPlain(name) else { throw WorldError(path: path, "is not the name of a file") }
    var attempt = 0
    while true {
      let candidate = ".\(name).\(getpid())-\(attempt).partial"
      let opened = folder.create(candidate)
      if opened >= 0 {
        (self.path, self.folder, self.name, temporary, descriptor) = (path, folder, name, candidate, opened)
        return
      }
      guard errno == EEXIST || errno == EINTR else { throw systemFailure(path) }
      attempt += 1
    }
  }

  /// Whether a name is that of such a temporary file: without a process that writes it, what a killed one left.
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
    }
  }

  /// Writes after what was appended before.
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

  /// Writes over bytes that were appended before, from `offset` on.
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

  /// Synchronises the file to the disk and gives it its name, replacing what file or link had it.
  public consuming func commit() throws {
    guard fsync(descriptor) == 0 else { throw systemFailure(path) }
    guard folder.move(temporary, to: name) == 0 else { throw systemFailure(path) }
    let closed = close(descriptor)
    descriptor = -1
    guard closed == 0 else { throw systemFailure(path) }
    try folder.synchronize()
  }
}

/// Whether a byte is that of a decimal digit.
public func isDigit(_ byte: UInt8) -> Bool { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) }

/// A path as that of a folder and a name in it.
public func split(_ path: String) -> (folder: String, name: String) {
  guard let slash = path.lastIndex(of: "/") else { return (".", path) }
  return (slash == path.startIndex ? "/" : String(path[..<slash]), String(path[path.index(after: slash)...]))
}

/// An environment's name as a part of a file's: `gym-ALE-Pong-v5` of `gym:ALE/Pong-v5`.
public func fileName(of id: String) -> String {
  String(id.map { $0.isLetter || $0.isNumber || "-._".contains($0) ? $0 : "-" })
}

/// Makes the name of `path` in its folder last through a power cut. Throws `WorldError` with the path and the system's reason.
public func synchronizeFolder(of path: String) throws {
  try Folder(path: split(path).folder, followingLink: true).synchronize()
}

/// What the last failed call to the system says of itself.
public func systemFailure(_ path: String) -> WorldError {
  let code = errno
  return WorldError(path: path, unsafe String(cString: strerror(code)))
}
