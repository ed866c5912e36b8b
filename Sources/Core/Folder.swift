#if canImport(Glibc)
  import Glibc
#else
  import Foundation
#endif

/// An open folder. Its entries are accessed relative to the folder, by plain names, and symbolic links are never
/// followed. So nothing outside the folder is read, changed or removed.
///
/// All code that writes to or deletes from a run directory uses this class. All methods throw `WorldError` with the
/// path.
public final class Folder: Sendable {
  /// The path, for error messages.
  public let path: String
  private let descriptor: Int32

  /// The type of a folder entry.
  public enum Kind: Sendable {
    case file
    case folder
    case link
    /// A pipe, a socket, a device.
    case other
  }

  /// The device and inode numbers of a file. Two names can have the same identity (hard links).
  public struct Identity: Sendable, Hashable {
    let device: UInt
    let number: UInt
  }

  /// Opens a folder.
  ///
  /// - Parameter followingLink: whether the last component of the path may be a symbolic link, as in a path that the
  ///   user gives.
  public init(path: String, followingLink: Bool = false) throws {
    // With a trailing slash, a link would be followed.
    var trimmed = path.isEmpty ? "." : path
    while trimmed.hasSuffix("/") && trimmed.utf8.count > 1 { trimmed.removeLast() }
    self.path = trimmed
    descriptor = unsafe open(trimmed, O_RDONLY | O_DIRECTORY | O_CLOEXEC | (followingLink ? 0 : O_NOFOLLOW))
    guard descriptor >= 0 else { throw notOpened(trimmed, AT_FDCWD, trimmed) }
  }

  private init(_ name: String, in parent: Folder) throws {
    path = parent.path(of: name)
    descriptor = unsafe openat(
      parent.descriptor, try parent.plain(name), O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW)
    guard descriptor >= 0 else { throw notOpened(path, parent.descriptor, name) }
  }

  deinit { if descriptor >= 0 { close(descriptor) } }

  /// Returns the path of an entry, for error messages.
  public func path(of name: String) -> String { path == "/" ? "/\(name)" : "\(path)/\(name)" }

  /// Returns whether a name, which may come from a file, is a single path component other than `.` and `..`.
  public static func isPlain(_ name: String) -> Bool {
    !name.isEmpty && name != "." && name != ".." && !name.utf8.contains { $0 == 0 || $0 == UInt8(ascii: "/") }
  }

  private func plain(_ name: String) throws -> String {
    guard Self.isPlain(name) else { throw WorldError(path: path, "'\(name)' is not a plain file name") }
    return name
  }

  // MARK: - Inspecting

  /// Returns the type of an entry, or nil if there is none.
  public func kind(of name: String) -> Kind? { (try? status(of: name)).map { Kind($0.st_mode) } }

  /// Returns the identity of a file, or nil if the entry is missing or not a file.
  public func identity(of name: String) -> Identity? {
    guard let status = try? status(of: name), Kind(status.st_mode) == .file else { return nil }
    return Identity(device: UInt(status.st_dev), number: UInt(status.st_ino))
  }

  private func status(of name: String) throws -> stat {
    var status = stat()
    guard unsafe fstatat(descriptor, try plain(name), &status, AT_SYMLINK_NOFOLLOW) == 0 else {
      throw systemFailure(path(of: name))
    }
    return status
  }

  /// Returns the names of all entries, sorted.
  public func names() throws -> [String] {
    // A separate descriptor, positioned at the first entry.
    let own = unsafe openat(descriptor, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard own >= 0 else { throw systemFailure(path) }
    guard let list = unsafe fdopendir(own) else {
      defer { close(own) }
      throw systemFailure(path)
    }
    defer { unsafe closedir(list) }
    var names: [String] = []
    while let entry = unsafe readdir(list) {
      let name = unsafe withUnsafePointer(to: &entry.pointee.d_name) { tuple in
        unsafe tuple.withMemoryRebound(to: CChar.self, capacity: 1) { unsafe String(cString: $0) }
      }
      if name != "." && name != ".." { names.append(name) }
    }
    return names.sorted()
  }

  // MARK: - Opening

  /// Opens a subfolder.
  public func folder(_ name: String) throws -> Folder { try Folder(name, in: self) }

  /// Creates a subfolder. Throws if the name is taken.
  public func makeFolder(_ name: String) throws -> Folder {
    guard unsafe mkdirat(descriptor, try plain(name), 0o755) == 0 else { throw systemFailure(path(of: name)) }
    return try folder(name)
  }

  /// Opens a regular file. Rejects links, devices and pipes; opening a pipe could block.
  ///
  /// - Parameter flags: flags for `open`, such as `O_WRONLY | O_CREAT`.
  /// - Returns: a descriptor, which the caller must close.
  public func openFile(_ name: String, _ flags: Int32) throws -> Int32 {
    let opened = unsafe openat(descriptor, try plain(name), flags | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0o644)
    guard opened >= 0 else { throw notOpened(path(of: name), descriptor, name) }
    var status = stat()
    guard unsafe fstat(opened, &status) == 0 else {
      defer { close(opened) }
      throw systemFailure(path(of: name))
    }
    guard Kind(status.st_mode) == .file else {
      close(opened)
      throw WorldError(path: path(of: name), Kind(status.st_mode).refusal)
    }
    return opened
  }

  /// Reads a file. A file of more than `limit` bytes is rejected before it is read.
  public func bytes(of name: String, limit: Int = 1 << 32) throws -> [UInt8] {
    let file = try openFile(name, O_RDONLY)
    defer { close(file) }
    return try readBytes(from: file, path: path(of: name), limit: limit)
  }

  // MARK: - Changing

  /// Writes `bytes` to a file atomically, replacing any file or link of that name.
  ///
  /// - Parameter isSynced: false for one of many small files whose loss in a power failure would be noticed.
  public func write(_ bytes: [UInt8], to name: String, isSynced: Bool = true) throws {
    var file = try AtomicFile(name, in: self)
    try file.append(bytes)
    try file.commit(isSynced: isSynced)
  }

  /// Creates a file under a plain name that is not taken. Returns a descriptor, or -1 and sets `errno`.
  func create(_ name: String) -> Int32 {
    unsafe openat(descriptor, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o644)
  }

  /// Renames an entry. Returns 0, or -1 and sets `errno`.
  func move(_ name: String, to new: String) -> Int32 { unsafe renameat(descriptor, name, descriptor, new) }

  /// Removes an entry; a folder is removed with its contents. Links are removed, not their targets. Does nothing if
  /// there is no such entry.
  public func remove(_ name: String) throws {
    if unsafe unlinkat(descriptor, try plain(name), 0) == 0 || errno == ENOENT { return }
    let failure = systemFailure(path(of: name))
    guard kind(of: name) == .folder else { throw failure }
    let inner = try folder(name)
    for name in try inner.names() { try inner.remove(name) }
    guard unsafe unlinkat(descriptor, name, AT_REMOVEDIR) == 0 || errno == ENOENT else {
      throw systemFailure(path(of: name))
    }
  }

  /// Renames an entry. An existing file or link of the new name is replaced. Throws if it is a folder that is not empty.
  public func rename(_ name: String, to new: String) throws {
    guard move(try plain(name), to: try plain(new)) == 0 else { throw systemFailure(path(of: new)) }
  }

  /// Creates a hard link to a file of another folder, under the same name.
  ///
  /// - Returns: false if the file does not exist or the file system does not support it.
  public func link(_ name: String, of other: Folder) -> Bool {
    guard Self.isPlain(name), other.kind(of: name) == .file else { return false }
    return unsafe linkat(other.descriptor, name, descriptor, name, 0) == 0
  }

  /// Syncs the folder to disk, so that its entries survive a power failure.
  public func synchronize() throws {
    // Some file systems cannot sync a folder. The files in it are already synced.
    guard fsync(descriptor) == 0 || errno == EINVAL else { throw systemFailure(path) }
  }
}

extension Folder.Kind {
  fileprivate init(_ mode: mode_t) {
    switch mode & S_IFMT {
    case S_IFREG: self = .file
    case S_IFDIR: self = .folder
    case S_IFLNK: self = .link
    default: self = .other
    }
  }

  /// The reason why it is not opened as a file, for error messages.
  public var refusal: String {
    switch self {
    case .file: "is a file"
    case .folder: "is a folder, not a file"
    case .link: "is a link, and links are not followed: replace it with its target, or remove it"
    case .other: "is a pipe, a socket or a device, not a regular file: remove it"
    }
  }
}

/// Returns the error for a failed `open`. For a link, the system's message would be "Too many levels of symbolic
/// links".
private func notOpened(_ path: String, _ folder: Int32, _ name: String) -> WorldError {
  let code = errno
  defer { errno = code }
  let failure = systemFailure(path)
  var status = stat()
  guard unsafe fstatat(folder, name, &status, AT_SYMLINK_NOFOLLOW) == 0 else { return failure }
  switch Folder.Kind(status.st_mode) {
  case .link: return WorldError(path: path, Folder.Kind.link.refusal)
  case .other: return WorldError(path: path, Folder.Kind.other.refusal)
  case .file, .folder: return failure
  }
}
