import Core

#if canImport(Glibc)
  import Glibc
#else
  import Foundation
#endif

/// A file that grows record by record. Each record is handed to the system whole, and a failed one is taken back, so that
/// readers, crashes and resumed runs see whole records only.
struct AppendedFile: ~Copyable {
  let path: String
  private let descriptor: Int32
  /// The bytes of all whole records.
  private(set) var byteCount: Int

  /// Opens a file to append to, made where nothing is to be kept.
  ///
  /// - Parameter kept: the bytes at its start that stay; all others are cut off.
  /// - Throws: `WorldError` with the path where the file is shorter than that, or with the system's reason, as do all
  ///   others here.
  init(path: String, keeping kept: Int = 0) throws {
    let (place, name) = split(path)
    let folder = try Folder(path: place, followingLink: true)
    var opened = try folder.openFile(name, O_WRONLY | (kept == 0 ? O_CREAT : 0))
    do {
      var status = stat()
      guard unsafe fstat(opened, &status) == 0 else { throw systemFailure(path) }
      let size = Int(status.st_size)
      guard kept >= 0, size >= kept else {
        throw WorldError(path: path, "has \(size) bytes where \(kept) were written: it is not the file of this run")
      }
      if status.st_nlink > 1 {
        // The file has another name, maybe in a copy of the run: that one stays as it is.
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
        // Half a record would spoil the file for its readers; if even this fails, the first failure is the one to tell.
        _ = ftruncate(descriptor, off_t(byteCount))
        throw failure
      }
      done += put
    }
    byteCount += record.count
  }

  /// Makes all records last through a power cut.
  func synchronize() throws {
    guard fsync(descriptor) == 0 else { throw systemFailure(path) }
  }
}
