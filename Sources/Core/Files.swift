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
  private let temporary: String
  private var descriptor: Int32

  /// Opens a temporary file in the folder of `path`. Throws `WorldError` with the path and the system's reason.
  public init(path: String) throws {
    self.path = path
    let split = path.lastIndex(of: "/").map { path.index(after: $0) } ?? path.startIndex
    let stem = "\(path[..<split]).\(path[split...]).\(getpid())"
    var attempt = 0
    while true {
      let candidate = "\(stem)-\(attempt).partial"
      let opened = unsafe open(candidate, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o644)
      if opened >= 0 {
        temporary = candidate
        descriptor = opened
        return
      }
      guard errno == EEXIST || errno == EINTR else { throw systemFailure(path) }
      attempt += 1
    }
  }

  deinit {
    if descriptor >= 0 {
      close(descriptor)
      unsafe unlink(temporary)
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

  /// Synchronises the file to the disk and gives it its name, replacing what had it.
  public consuming func commit() throws {
    guard fsync(descriptor) == 0 else { throw systemFailure(path) }
    guard unsafe rename(temporary, path) == 0 else { throw systemFailure(path) }
    let closed = close(descriptor)
    descriptor = -1
    guard closed == 0 else { throw systemFailure(path) }
    try synchronizeFolder(of: path)
  }
}

/// An environment's name as a part of a file's: `gym-ALE-Pong-v5` of `gym:ALE/Pong-v5`.
public func fileName(of id: String) -> String {
  String(id.map { $0.isLetter || $0.isNumber || "-._".contains($0) ? $0 : "-" })
}

/// Makes the name of `path` in its folder last through a power cut. Throws `WorldError`.
public func synchronizeFolder(of path: String) throws {
  try synchronizeFolder(path.lastIndex(of: "/").map { String(path[...$0]) } ?? ".")
}

/// Makes the names in a folder last through a power cut.
///
/// Throws `WorldError` with the path and the system's reason.
public func synchronizeFolder(_ folder: String) throws {
  let descriptor = unsafe open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
  guard descriptor >= 0 else { throw systemFailure(folder) }
  defer { close(descriptor) }
  // Some file systems cannot synchronise a folder; the files in it are safe by then.
  guard fsync(descriptor) == 0 || errno == EINVAL else { throw systemFailure(folder) }
}

/// What the last failed call to the system says of itself.
public func systemFailure(_ path: String) -> WorldError {
  let code = errno
  return WorldError(path: path, unsafe String(cString: strerror(code)))
}
