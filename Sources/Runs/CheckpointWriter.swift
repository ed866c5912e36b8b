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
/// another, and its parent synchronised. A part that has not changed since an earlier checkpoint is linked, not written, but
/// never so that all checkpoints that are kept have the same file: a fault of the disk there leaves one of them whole.
///
/// All throw `WorldError` with the path and the system's reason.
public struct CheckpointWriter: ~Copyable {
  private let place: Folder
  private let name: String
  private let temporary: String
  private let folder: Folder
  private let earlier: [Checkpoint]
  private let survivors: [Checkpoint]
  private(set) var manifest: CheckpointManifest
  private(set) var bytesLinked = 0
  private var isCommitted = false

  /// - Parameters:
  ///   - name: of the folder that the checkpoint will be, in the folder of all.
  ///   - earlier: those whose parts may be linked.
  ///   - survivors: those of them that are kept beside the new one.
  init(
    _ name: String, in place: Folder, step: Int, settings: UInt64, earlier: [Checkpoint], survivors: [Checkpoint]
  ) throws {
    self.place = place
    self.name = name
    self.earlier = earlier
    self.survivors = survivors
    temporary = ".partial-\(getpid())"
    manifest = CheckpointManifest(step: step, settings: settings)
    try place.remove(temporary)
    folder = try place.makeFolder(temporary)
  }

  deinit {
    // What cannot be removed now is removed when the checkpoints are opened again.
    if !isCommitted { try? place.remove(temporary) }
  }

  /// Whether a name is that of a checkpoint that was never completed.
  static func isUnfinished(_ name: String) -> Bool {
    name.hasPrefix(".partial-") && name.dropFirst(9).utf8.allSatisfy(isDigit)
  }

  /// Writes one part.
  ///
  /// - Parameters:
  ///   - revision: differs from an earlier checkpoint's whenever the bytes may differ; nil writes in any case.
  ///   - bytes: called only where the part is written.
  public mutating func write(_ name: String, revision: Int? = nil, _ bytes: () throws -> [UInt8]) throws {
    if let revision, let (source, part) = try source(of: name, revision), folder.link(name, of: source) {
      manifest.parts.append(part)
      bytesLinked += part.byteCount
      return
    }
    let bytes = try bytes()
    try folder.write(bytes, to: name)
    manifest.parts.append(
      CheckpointManifest.Part(
        name: name, byteCount: bytes.count, hash: xxHash64(bytes), revision: revision))
  }

  /// The newest checkpoint whose part of this revision may be linked: one of those that are kept has another file, or none is
  /// kept.
  private func source(of name: String, _ revision: Int) throws -> (Folder, CheckpointManifest.Part)? {
    func file(_ checkpoint: Checkpoint) throws -> Folder.Identity? {
      try place.folder(checkpoint.name).identity(of: name)
    }
    let kept = try survivors.map(file)
    for checkpoint in earlier.reversed() {
      guard let part = checkpoint.manifest.parts.first(where: { $0.name == name && $0.revision == revision })
      else { continue }
      let found = try file(checkpoint)
      if kept.isEmpty || kept.contains(where: { $0 != found }) { return (try place.folder(checkpoint.name), part) }
    }
    return nil
  }

  /// Gives the checkpoint its name.
  consuming func commit(score: Double?) throws -> Checkpoint {
    manifest.score = score
    try folder.write(manifest.bytes, to: CheckpointManifest.name)
    try folder.synchronize()
    try place.rename(temporary, to: name)
    isCommitted = true
    try place.synchronize()
    return Checkpoint(path: place.path(of: name), manifest: manifest)
  }
}
