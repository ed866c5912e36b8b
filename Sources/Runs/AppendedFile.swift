import Core

#if canImport(Glibc)
  import Glibc
#else
  import Foundation
#endif

/// An append-only file of records. Each record is written whole, and a failed write is undone, so that readers and
/// resumed runs only see whole records, even after a crash.
struct AppendedFile: ~Copyable {
  let path: String
  private let descriptor: Int32
  /// The size of all whole records in bytes.
  private(set) var byteCount: Int

  /// Opens a file to append to. Creates it if `kept` is 0.
  ///
  /// - Parameter kept: The number of bytes at the start to keep; the rest is truncated.
  /// - Throws: `WorldError` with the path if the file is shorter than `kept`, or with the system's reason, as do all
  ///   methods here.
  init(path: String, keeping kept: Int = 0) throws {
    let (parent, name) = split(path)
    let folder = try Folder(path: parent, followingLink: true)
    var opened = try folder.openFile(name, O_WRONLY | (kept == 0 ? O_CREAT : 0))
    do {
      var status = stat()
      guard unsafe fstat(opened, &status) == 0 else { throw systemFailure(path) }
      let size = Int(status.st_size)
      guard kept >= 0, size >= kept else {
        throw WorldError(path: path, "has \(size) bytes, but \(kept) were written: it is not this run's file")
      }
      if status.st_nlink > 1 {
        // The file has another hard link, maybe in a copy of the run, which must not change.
        try folder.write(Array(folder.bytes(of: name).prefix(kept)), to: name)
        close(opened)
        opened = -1
        opened = try folder.openFile(name, O_WRONLY)
      }
      guard ftruncate(opened, off_t(kept)) == 0 else { throw systemFailure(path) }
      try folder.synchronize()
    } catch {
      close(opened)
      throw error
    }
    self.path = path
    descriptor = opened
    byteCount = kept
  }

  deinit { close(descriptor) }

  /// Writes one record, or several.
  mutating func append(_ record: [UInt8]) throws {
    var done = 0
    while done < record.count {
      let put = unsafe record.withUnsafeBytes { buffer in
        unsafe pwrite(descriptor, buffer.baseAddress! + done, buffer.count - done, off_t(byteCount + done))
      }
      if put < 0 && errno == EINTR { continue }
      guard put > 0 else {
        let failure = systemFailure(path)
        // Remove the partial record. If this fails too, report the first failure.
        _ = ftruncate(descriptor, off_t(byteCount))
        throw failure
      }
      done += put
    }
    byteCount += record.count
  }

  /// Synchronises all records to disk.
  func synchronize() throws {
    guard fsync(descriptor) == 0 else { throw systemFailure(path) }
  }
}
