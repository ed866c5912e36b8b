import Core

#if canImport(Glibc)
  import Glibc
#else
  import Foundation
#endif

/// A whole checkpoint on disk.
public struct Checkpoint: Sendable, Hashable {
  public let path: String
  public internal(set) var manifest: CheckpointManifest

  public var step: Int { manifest.step }

  init(path: String, manifest: CheckpointManifest) {
    self.path = path
    self.manifest = manifest
  }

  /// Opens a checkpoint and verifies all of its parts.
  ///
  /// - Throws: `DamagedFile` with the path of a missing, incomplete or damaged file, `WorldError` if one cannot be
  ///   read.
  public init(path: String) throws {
    self.path = path
    let bytes = try Self.bytes(of: CheckpointManifest.name, in: path, limit: 1 << 26)
    do { manifest = try CheckpointManifest(bytes) } catch let error as InputError {
      throw DamagedFile(path: "\(path)/\(CheckpointManifest.name)", error.description)
    }
    for part in manifest.parts { _ = try self.bytes(of: part) }
  }

  /// Reads and verifies the bytes of a part.
  ///
  /// - Throws: `DamagedFile` with the path if the file is missing, incomplete or damaged, `WorldError` if it cannot be
  ///   read.
  public func bytes(of name: String) throws -> [UInt8] {
    guard let part = manifest.parts.first(where: { $0.name == name }) else {
      throw DamagedFile(
        path: "\(path)/\(name)", "is missing: the checkpoint was written by another version of this program")
    }
    return try bytes(of: part)
  }

  private func bytes(of part: CheckpointManifest.Part) throws -> [UInt8] {
    let file = "\(path)/\(part.name)"
    let bytes = try Self.bytes(of: part.name, in: path, limit: 1 << 32)
    guard bytes.count == part.byteCount else {
      throw DamagedFile(path: file, "is incomplete: it has \(bytes.count) bytes, not \(part.byteCount)")
    }
    guard xxHash64(bytes) == part.hash else { throw DamagedFile(path: file, "is damaged: its checksum is wrong") }
    return bytes
  }

  /// Reads a file of a checkpoint's folder. Neither of them may be a link.
  private static func bytes(of name: String, in path: String, limit: Int) throws -> [UInt8] {
    let (above, own) = split(path)
    let parent = try Folder(path: above, followingLink: true)
    switch parent.kind(of: own) {
    case .folder: break
    case let kind?: throw DamagedFile(path: path, kind == .file ? "is not a folder" : kind.refusal)
    case nil: throw DamagedFile(path: path, "is missing")
    }
    let folder = try parent.folder(own)
    switch folder.kind(of: name) {
    case .file: return try folder.bytes(of: name, limit: limit)
    case let kind?: throw DamagedFile(path: folder.path(of: name), kind.refusal)
    case nil: throw DamagedFile(path: folder.path(of: name), "is missing")
    }
  }

  /// Returns the newest whole checkpoint in the folder of all checkpoints, or nil if there is none. Damaged ones are
  /// skipped.
  ///
  /// - Throws: `WorldError` if one cannot be read.
  public static func newest(in folder: String) throws -> Checkpoint? {
    guard isFolder(folder) else { return nil }
    for number in try folderEntries(folder).compactMap(number(of:)).sorted(by: >) {
      do { return try Checkpoint(path: "\(folder)/\(name(number))") } catch is DamagedFile { continue }
    }
    return nil
  }

  /// The name of its folder.
  var name: String { split(path).name }

  /// The number of the checkpoint within the run. A later one may have the same step.
  var number: Int { Self.number(of: name) ?? 0 }

  static func name(_ number: Int) -> String {
    let digits = String(number)
    return "checkpoint-" + String(repeating: "0", count: max(0, 6 - digits.count)) + digits
  }

  /// The number in a checkpoint's name; nil if the name is not a checkpoint's.
  static func number(of name: String) -> Int? {
    guard name.hasPrefix("checkpoint-"), name.utf8.count < 24, let number = Int(name.dropFirst(11)),
      name == Self.name(number)
    else { return nil }
    return number
  }
}

extension RunDirectory {
  /// Whether the run has a checkpoint, whole or damaged.
  public var hasCheckpoint: Bool {
    (try? folderEntries(file("checkpoints")))?.contains { $0.hasPrefix("checkpoint-") } ?? false
  }
}

/// The checkpoints of a run: the last ones and the best.
///
/// Only the process that holds the run's lock may use this.
public struct Checkpoints: ~Copyable {
  public let folder: String
  private let parent: Folder
  /// The number of last checkpoints to keep, at least 1.
  public let kept: Int
  /// The fingerprint of the run's settings.
  public let settings: UInt64
  /// All checkpoints, from the oldest to the newest. All were verified or written here.
  public private(set) var all: [Checkpoint]
  /// Which checkpoints were damaged, and the names they have now.
  public private(set) var warnings: [String]
  /// The cost of the checkpoints that this process wrote.
  public private(set) var cost = Cost()

  public struct Cost: Sendable, Hashable {
    public var checkpoints = 0
    public var seconds = 0.0
    public var bytesWritten = 0
    /// The size of unchanged parts, which were hard-linked.
    public var bytesLinked = 0
  }

  /// Opens and verifies the checkpoints of a run. Damaged ones are renamed, and folders that a killed process left half
  /// written or half removed are deleted. If all are damaged, nothing is changed.
  ///
  /// - Parameter others: fingerprints that the checkpoints may have instead, as those of an earlier version.
  /// - Throws: `WorldError` with the path, also if every checkpoint is damaged, or `InputError` if one was made with
  ///   other settings.
  public init(folder: String, kept: Int, settings: UInt64, or others: Set<UInt64> = []) throws {
    precondition(kept > 0, "at least one checkpoint is kept, not \(kept)")
    try makeOwnFolder(folder)
    let parent = try Folder(path: folder)
    let names = try parent.names()
    var (whole, damaged) = ([Checkpoint](), [(name: String, error: DamagedFile)]())
    for name in names where Checkpoint.number(of: name) != nil {
      do {
        let checkpoint = try Checkpoint(path: "\(folder)/\(name)")
        guard others.union([settings]).contains(checkpoint.manifest.settings) else {
          throw InputError("\(checkpoint.path) was made with other settings than those in the run's settings.yaml now")
        }
        whole.append(checkpoint)
      } catch let error as DamagedFile { damaged.append((name, error)) }
    }
    whole.sort { $0.number < $1.number }
    if whole.isEmpty, let reason = damaged.last?.error.description ?? names.first(where: Self.isSetAside) {
      throw WorldError(
        path: folder,
        "all checkpoints of the run are damaged (\(reason)), and nothing was changed: restore one from a backup, or "
          + "start a new run with another --out")
    }
    for name in names where CheckpointWriter.isUnfinished(name) || Self.isDoomed(name) { try parent.remove(name) }
    warnings = try damaged.map {
      "\($0.error); renamed to \(folder)/\(try Self.setAside($0.name, in: parent))"
    }
    (self.folder, self.parent, self.kept, self.settings, all) = (folder, parent, kept, settings, whole)
  }

  public var newest: Checkpoint? { all.last }

  /// Writes a checkpoint, then removes those that are no longer kept.
  ///
  /// - Parameters:
  ///   - score: The mean return of the agent's evaluation at this step, if there was one.
  ///   - write: Writes the parts.
  public mutating func write(
    step: Int, score: Double? = nil, _ write: (inout CheckpointWriter) throws -> Void
  ) throws {
    let start = ContinuousClock.now
    var writer = try CheckpointWriter(
      Checkpoint.name((newest?.number ?? 0) + 1), in: parent, step: step, settings: settings, earlier: all,
      survivors: survivors(besideOneOf: score))
    try write(&writer)
    let linked = writer.bytesLinked
    let checkpoint = try writer.commit(score: score)
    all.append(checkpoint)
    try prune()
    cost.checkpoints += 1
    cost.seconds += (ContinuousClock.now - start) / .seconds(1)
    cost.bytesLinked += linked
    cost.bytesWritten += checkpoint.manifest.parts.reduce(0) { $0 + $1.byteCount } - linked
  }

  /// Adds the score to the newest checkpoint if it is of this step and has none: it was written before its evaluation.
  public mutating func rate(step: Int, score: Double?) throws {
    guard let score, var newest, newest.step == step, newest.manifest.score == nil else { return }
    newest.manifest.score = score
    try parent.folder(newest.name).write(newest.manifest.bytes, to: CheckpointManifest.name)
    all[all.count - 1] = newest
    try prune()
  }

  /// The checkpoint with the highest score, if any has one; the first one of equals.
  private var best: Checkpoint? {
    let best = all.max { ($0.manifest.score ?? -.infinity) < ($1.manifest.score ?? -.infinity) }
    return best?.manifest.score == nil ? nil : best
  }

  /// The checkpoints that are kept after a new one with this score is written.
  private func survivors(besideOneOf score: Double?) -> [Checkpoint] {
    let last = all.suffix(kept - 1)
    guard let best, !last.contains(best), !(best.manifest.score ?? -.infinity < score ?? -.infinity) else {
      return Array(last)
    }
    return [best] + last
  }

  private mutating func prune() throws {
    let kept = all.suffix(kept) + [best].compactMap(\.self)
    for checkpoint in all where !kept.contains(checkpoint) {
      // Rename it first: a half-removed checkpoint must not look damaged.
      let doomed = "\(Self.doomed)\(checkpoint.number)"
      try parent.remove(doomed)
      try parent.rename(checkpoint.name, to: doomed)
      all.removeAll { $0 == checkpoint }
      try parent.remove(doomed)
    }
  }

  private static let doomed = ".removed-"

  private static func isDoomed(_ name: String) -> Bool {
    name.hasPrefix(doomed) && name.dropFirst(doomed.count).utf8.allSatisfy(isDigit)
  }

  private static func isSetAside(_ name: String) -> Bool {
    name.hasPrefix("damaged-") && name.contains("-checkpoint-")
  }

  /// Renames a damaged checkpoint.
  ///
  /// - Returns: The new name.
  private static func setAside(_ name: String, in parent: Folder) throws -> String {
    var attempt = 1
    while parent.kind(of: "damaged-\(attempt)-\(name)") != nil { attempt += 1 }
    let aside = "damaged-\(attempt)-\(name)"
    try parent.rename(name, to: aside)
    return aside
  }
}
