import Core

#if canImport(Glibc)
  import Glibc
#else
  import Foundation
#endif

/// Writes a checkpoint into a temporary folder, which gets its final name when everything is on disk and is removed
/// otherwise.
///
/// Every part is written and synchronised, then the manifest, then the folder. Only then the folder is renamed, never
/// over an existing one, and its parent is synchronised. A part that has not changed since an earlier checkpoint is
/// hard-linked instead of written, but never so that all kept checkpoints share one file: if the disk damages that
/// file, another checkpoint stays whole.
///
/// All methods throw `WorldError` with the path and the system's reason.
public struct CheckpointWriter: ~Copyable {
  private let parent: Folder
  private let name: String
  private let temporary: String
  private let folder: Folder
  private let earlier: [Checkpoint]
  private let survivors: [Checkpoint]
  private(set) var manifest: CheckpointManifest
  private(set) var bytesLinked = 0
  private var isCommitted = false

  /// - Parameters:
  ///   - name: The name of the checkpoint's folder.
  ///   - parent: The folder of all checkpoints.
  ///   - earlier: The checkpoints whose parts may be linked.
  ///   - survivors: Those of them that are kept besides the new one.
  init(
    _ name: String, in parent: Folder, step: Int, settings: UInt64, earlier: [Checkpoint], survivors: [Checkpoint]
  ) throws {
    self.parent = parent
    self.name = name
    self.earlier = earlier
    self.survivors = survivors
    temporary = ".partial-\(getpid())"
    manifest = CheckpointManifest(step: step, settings: settings)
    try parent.remove(temporary)
    folder = try parent.makeFolder(temporary)
  }

  deinit {
    // If this fails, it is removed when the checkpoints are opened again.
    if !isCommitted { try? parent.remove(temporary) }
  }

  /// Whether a name belongs to a checkpoint that was never completed.
  static func isUnfinished(_ name: String) -> Bool {
    name.hasPrefix(".partial-") && name.dropFirst(9).utf8.allSatisfy(isDigit)
  }

  /// Writes one part.
  ///
  /// - Parameters:
  ///   - revision: A number that differs from an earlier checkpoint's whenever the bytes may differ. With nil, the part
  ///     is always written.
  ///   - bytes: Called only if the part is written.
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

  /// Returns the newest checkpoint whose part of this revision may be linked: a kept checkpoint has another file for
  /// it, or no checkpoint is kept.
  private func source(of name: String, _ revision: Int) throws -> (Folder, CheckpointManifest.Part)? {
    func file(_ checkpoint: Checkpoint) throws -> Folder.Identity? {
      try parent.folder(checkpoint.name).identity(of: name)
    }
    let kept = try survivors.map(file)
    for checkpoint in earlier.reversed() {
      guard let part = checkpoint.manifest.parts.first(where: { $0.name == name && $0.revision == revision })
      else { continue }
      let found = try file(checkpoint)
      if kept.isEmpty || kept.contains(where: { $0 != found }) { return (try parent.folder(checkpoint.name), part) }
    }
    return nil
  }

  /// Gives the complete checkpoint its final name.
  consuming func commit(score: Double?) throws -> Checkpoint {
    manifest.score = score
    try folder.write(manifest.bytes, to: CheckpointManifest.name)
    try folder.synchronize()
    try parent.rename(temporary, to: name)
    isCommitted = true
    try parent.synchronize()
    return Checkpoint(path: parent.path(of: name), manifest: manifest)
  }
}
