#if canImport(Glibc)
  import Glibc
#else
  import Foundation
#endif

/// A folder that is open. What lies in it is reached from the folder itself, by plain names and never through a link: nothing
/// outside it is read, changed or removed, whatever stands under those names.
///
/// Who writes into a run's folder, or removes something there, goes through this. All throw `WorldError` with the path.
public final class Folder: Sendable {
  /// For messages.
  public let path: String
  private let descriptor: Int32

  /// What a name stands for.
  public enum Kind: Sendable {
    case file
    case folder
    case link
    /// A pipe, a socket, a device.
    case other
  }

  /// Which file on which disk: two names may have the same one (hard links).
  public struct Identity: Sendable, Hashable {
    let device: UInt
    let number: UInt
  }

  /// Opens a folder.
  ///
  /// - Parameter followingLink: whether the path's last name may be a link, as one that the user typed may.
  public init(path: String, followingLink: Bool = false) throws {
    // With a slash at its end a link would be followed.
    var place = path.isEmpty ? "." : path
    while place.hasSuffix("/") && place.utf8.count > 1 { place.removeLast() }
    self.path = place
    descriptor = unsafe open(place, O_RDONLY | O_DIRECTORY | O_CLOEXEC | (followingLink ? 0 : O_NOFOLLOW))
    guard descriptor >= 0 else { throw notOpened(place, AT_FDCWD, place) }
  }

  private init(_ name: String, in parent: Folder) throws {
    path = parent.path(of: name)
    descriptor = unsafe openat(
      parent.descriptor, try parent.plain(name), O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW)
    guard descriptor >= 0 else { throw notOpened(path, parent.descriptor, name) }
  }

  deinit { if descriptor >= 0 { close(descriptor) } }

  /// The path of what has a name here, for messages.
  public func path(of name: String) -> String { path == "/" ? "/\(name)" : "\(path)/\(name)" }

  /// Whether a name, which may come from a file, leads nowhere else.
  public static func isPlain(_ name: String) -> Bool {
    !name.isEmpty && name != "." && name != ".." && !name.utf8.contains { $0 == 0 || $0 == UInt8(ascii: "/") }
  }

  private func plain(_ name: String) throws -> String {
    guard Self.isPlain(name) else { throw WorldError(path: path, "'\(name)' is not the plain name of a file in it") }
    return name
  }

  // MARK: - Looking

  /// What a name stands for; nil for nothing.
  public func kind(of name: String) -> Kind? { (try? status(of: name)).map { Kind($0.st_mode) } }

  /// Which file a name stands for; nil where it is none.
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

  /// All names, in order.
  public func names() throws -> [String] {
    // A descriptor of its own, which is at the folder's start.
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

  /// A folder that lies in this one.
  public func folder(_ name: String) throws -> Folder { try Folder(name, in: self) }

  /// A new folder in this one; nothing may have its name.
  public func makeFolder(_ name: String) throws -> Folder {
    guard unsafe mkdirat(descriptor, try plain(name), 0o755) == 0 else { throw systemFailure(path(of: name)) }
    return try folder(name)
  }

  /// Opens a file that lies here: no link, and neither a pipe, which would be waited for, nor a device.
  ///
  /// - Parameter flags: of `open`, such as `O_WRONLY | O_CREAT`.
  /// - Returns: a descriptor, which the caller closes.
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

  /// The bytes of a file that lies here; one of more than `limit` bytes is refused before it is read.
  public func bytes(of name: String, limit: Int = 1 << 32) throws -> [UInt8] {
    let file = try openFile(name, O_RDONLY)
    defer { close(file) }
    return try readBytes(from: file, path: path(of: name), limit: limit)
  }

  // MARK: - Changing

  /// Puts `bytes` under a name whole or not at all, in place of what file or link had it.
  public func write(_ bytes: [UInt8], to name: String) throws {
    var file = try AtomicFile(name, in: self)
    try file.append(bytes)
    try file.commit()
  }

  /// A new file under a plain name that nothing has; -1 and `errno` where there is none.
  func create(_ name: String) -> Int32 {
    unsafe openat(descriptor, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o644)
  }

  /// Gives what has a plain name another one: 0, or -1 and `errno`.
  func move(_ name: String, to new: String) -> Int32 { unsafe renameat(descriptor, name, descriptor, new) }

  /// Removes what has a name, a folder with all that is in it; links go, what they lead to stays. Nothing there is fine.
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

  /// Gives what has a name another one; a file or link of that name goes, a folder that holds something does not.
  public func rename(_ name: String, to new: String) throws {
    guard move(try plain(name), to: try plain(new)) == 0 else { throw systemFailure(path(of: new)) }
  }

  /// Gives a file of another folder a name here as well.
  ///
  /// - Returns: whether the file system can, and the file is there.
  public func link(_ name: String, of other: Folder) -> Bool {
    guard Self.isPlain(name), other.kind(of: name) == .file else { return false }
    return unsafe linkat(other.descriptor, name, descriptor, name, 0) == 0
  }

  /// Makes the names in the folder last through a power cut.
  public func synchronize() throws {
    // Some file systems cannot synchronise a folder; the files in it are safe by then.
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

  /// Why it is not opened as a file.
  public var refusal: String {
    switch self {
    case .file: "is a file"
    case .folder: "is a folder, not a file"
    case .link: "is a link, and none is followed here: put what it leads to in its place, or remove the link"
    case .other: "is a pipe, a socket or a device, not an ordinary file: remove it"
    }
  }
}

/// Why the last call could not open a name: that of a link in the system's words would be "Too many levels of symbolic links".
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
