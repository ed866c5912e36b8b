import Core

#if canImport(Glibc)
  import Glibc
#else
  import Foundation
#endif

/// A checkpoint being written: in a folder of its own that gets its name when all of it is on the disk, and that is
/// removed when it is not.
///
/// Every part is written and synchronised, then the manifest, then the folder; only then the folder is renamed, never over
/// another, and its parent synchronised. A part that has not changed since the checkpoint before is linked, not written.
///
/// All throw `WorldError` with the path and the system's reason.
public struct CheckpointWriter: ~Copyable {
  private let path: String
  private let temporary: String
  private let previous: Checkpoint?
  private(set) var manifest: CheckpointManifest
  private(set) var bytesLinked = 0
  private var isCommitted = false

  /// - Parameter path: the folder that the checkpoint will be, in the folder of all.
  init(path: String, step: Int, settings: UInt64, previous: Checkpoint?) throws {
    self.path = path
    self.previous = previous
    temporary = "\(path[...(path.lastIndex(of: "/") ?? path.startIndex)]).partial-\(getpid())"
    manifest = CheckpointManifest(step: step, settings: settings)
    try removeFolder(temporary)
    try makeFolder(temporary)
  }

  deinit {
    // What cannot be removed now is removed when the checkpoints are opened again.
    if !isCommitted { try? removeFolder(temporary) }
  }

  /// Writes one part.
  ///
  /// - Parameters:
  ///   - revision: differs from the checkpoint's before whenever the bytes may differ; nil writes in any case.
  ///   - bytes: called only where the part is written.
  public mutating func write(_ name: String, revision: Int? = nil, _ bytes: () throws -> [UInt8]) throws {
    let path = "\(temporary)/\(name)"
    if let revision, let previous,
      let part = previous.manifest.parts.first(where: { $0.name == name && $0.revision == revision }),
      unsafe link("\(previous.path)/\(name)", path) == 0
    {
      manifest.parts.append(part)
      bytesLinked += part.byteCount
      return
    }
    let bytes = try bytes()
    try writeAtomically(bytes, to: path)
    manifest.parts.append(
      CheckpointManifest.Part(
        name: name, byteCount: bytes.count, hash: xxHash64(bytes), revision: revision))
  }

  /// Gives the checkpoint its name.
  consuming func commit(score: Double?) throws -> Checkpoint {
    manifest.score = score
    try writeAtomically(manifest.bytes, to: "\(temporary)/\(CheckpointManifest.name)")
    try synchronizeFolder(temporary)
    guard unsafe rename(temporary, path) == 0 else { throw systemFailure(path) }
    isCommitted = true
    try synchronizeFolder(of: path)
    return Checkpoint(path: path, manifest: manifest)
  }
}
