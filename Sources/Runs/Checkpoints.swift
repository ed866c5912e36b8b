import Core

#if canImport(Glibc)
  import Glibc
#else
  import Foundation
#endif

/// A whole checkpoint on the disk.
public struct Checkpoint: Sendable, Hashable {
  public let path: String
  public let manifest: CheckpointManifest

  public var step: Int { manifest.step }

  init(path: String, manifest: CheckpointManifest) {
    self.path = path
    self.manifest = manifest
  }

  /// Opens a checkpoint and verifies every part of it.
  ///
  /// - Throws: `DamagedFile` that names the file which is missing, torn or damaged, `WorldError` where one cannot be read.
  public init(path: String) throws {
    self.path = path
    let bytes = try Self.bytes(of: CheckpointManifest.name, in: path, limit: 1 << 26)
    do { manifest = try CheckpointManifest(bytes) } catch let error as InputError {
      throw DamagedFile(path: "\(path)/\(CheckpointManifest.name)", error.description)
    }
    for part in manifest.parts { _ = try self.bytes(of: part) }
  }

  /// The bytes of a part, as they were written.
  ///
  /// - Throws: `DamagedFile` that names the file which is missing, torn or damaged, `WorldError` where it cannot be read.
  public func bytes(of name: String) throws -> [UInt8] {
    guard let part = manifest.parts.first(where: { $0.name == name }) else {
      throw DamagedFile(path: "\(path)/\(name)", "is missing: the checkpoint is of another version of this program")
    }
    return try bytes(of: part)
  }

  private func bytes(of part: CheckpointManifest.Part) throws -> [UInt8] {
    let file = "\(path)/\(part.name)"
    let bytes = try Self.bytes(of: part.name, in: path, limit: 1 << 32)
    guard bytes.count == part.byteCount else {
      throw DamagedFile(path: file, "is torn: it has \(bytes.count) bytes, not \(part.byteCount)")
    }
    guard xxHash64(bytes) == part.hash else { throw DamagedFile(path: file, "is damaged: its checksum is wrong") }
    return bytes
  }

  /// The bytes of a file of a checkpoint's folder, neither of which may be a link.
  private static func bytes(of name: String, in path: String, limit: Int) throws -> [UInt8] {
    let (place, own) = split(path)
    let parent = try Folder(path: place, followingLink: true)
    switch parent.kind(of: own) {
    case .folder: break
    case let kind?: throw DamagedFile(path: path, kind == .file ? "is no folder" : kind.refusal)
    case nil: throw DamagedFile(path: path, "is missing")
    }
    let folder = try parent.folder(own)
    switch folder.kind(of: name) {
    case .file: return try folder.bytes(of: name, limit: limit)
    case let kind?: throw DamagedFile(path: folder.path(of: name), kind.refusal)
    case nil: throw DamagedFile(path: folder.path(of: name), "is missing")
    }
  }

  /// The newest whole checkpoint in the folder of all; damaged ones are passed over. Nothing where there is none.
  ///
  /// - Throws: `WorldError` where one cannot be read.
  public static func newest(in folder: String) throws -> Checkpoint? {
    guard isFolder(folder) else { return nil }
    for number in try folderEntries(folder).compactMap(number(of:)).sorted(by: >) {
      do { return try Checkpoint(path: "\(folder)/\(name(number))") } catch is DamagedFile { continue }
    }
    return nil
  }

  /// The folder's own name.
  var name: String { split(path).name }

  /// Counted within the run: a later one may be of the same step.
  var number: Int { Self.number(of: name) ?? 0 }

  static func name(_ number: Int) -> String {
    let digits = String(number)
    return "checkpoint-" + String(repeating: "0", count: max(0, 6 - digits.count)) + digits
  }

  /// The number of the checkpoint of a name; nil where it is that of something else.
  static func number(of name: String) -> Int? {
    guard name.hasPrefix("checkpoint-"), name.utf8.count < 24, let number = Int(name.dropFirst(11)),
      name == Self.name(number)
    else { return nil }
    return number
  }
}

extension RunDirectory {
  /// Whether the run has a checkpoint, sound or not.
  public var hasCheckpoint: Bool {
    (try? folderEntries(file("checkpoints")))?.contains { $0.hasPrefix("checkpoint-") } ?? false
  }
}

/// The checkpoints of a run: the last ones and the best.
///
/// Only the process that holds the run's lock may have this.
public struct Checkpoints: ~Copyable {
  public let folder: String
  private let place: Folder
  /// How many of the last ones are kept, at least 1.
  public let kept: Int
  /// The fingerprint of the settings that the run goes on with.
  public let settings: UInt64
  /// From the oldest to the newest; all were verified or written here.
  public private(set) var all: [Checkpoint]
  /// What was found damaged, and where it lies now.
  public private(set) var warnings: [String]
  /// What this process has spent on writing.
  public private(set) var cost = Cost()

  public struct Cost: Sendable, Hashable {
    public var checkpoints = 0
    public var seconds = 0.0
    public var bytesWritten = 0
    /// Of parts that had not changed.
    public var bytesLinked = 0
  }

  /// Opens the checkpoints of a run, verified. What is damaged is set aside under another name, and what a killed process
  /// left half written or half removed goes. Where all are damaged nothing is touched: the run could only begin anew.
  ///
  /// - Throws: `WorldError` with the path, also where every checkpoint is damaged, or `InputError` where one is of other
  ///   settings than these.
  public init(folder: String, kept: Int, settings: UInt64) throws {
    precondition(kept > 0, "at least one checkpoint is kept, not \(kept)")
    try makeOwnFolder(folder)
    let place = try Folder(path: folder)
    let names = try place.names()
    var (whole, damaged) = ([Checkpoint](), [(name: String, error: DamagedFile)]())
    for name in names where Checkpoint.number(of: name) != nil {
      do {
        let checkpoint = try Checkpoint(path: "\(folder)/\(name)")
        guard checkpoint.manifest.settings == settings else {
          throw InputError("\(checkpoint.path) was made with other settings than the run's settings file has now")
        }
        whole.append(checkpoint)
      } catch let error as DamagedFile { damaged.append((name, error)) }
    }
    whole.sort { $0.number < $1.number }
    if whole.isEmpty, let reason = damaged.last?.error.description ?? names.first(where: Self.isSetAside) {
      throw WorldError(
        path: folder,
        "no checkpoint of the run is whole (\(reason)), and nothing was changed: put one back from a copy, or begin a new "
          + "run with another --out")
    }
    for name in names where CheckpointWriter.isUnfinished(name) || Self.isDoomed(name) { try place.remove(name) }
    warnings = try damaged.map {
      "\($0.error); it is set aside as \(folder)/\(try Self.setAside($0.name, in: place))"
    }
    (self.folder, self.place, self.kept, self.settings, all) = (folder, place, kept, settings, whole)
  }

  public var newest: Checkpoint? { all.last }

  /// Writes a checkpoint, then removes those that are kept no longer.
  ///
  /// - Parameters:
  ///   - score: how good the agent was judged at this step, if it was.
  ///   - write: writes the parts.
  public mutating func write(
    step: Int, score: Double? = nil, _ write: (inout CheckpointWriter) throws -> Void
  ) throws {
    let start = ContinuousClock.now
    var writer = try CheckpointWriter(
      Checkpoint.name((newest?.number ?? 0) + 1), in: place, step: step, settings: settings, earlier: all,
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

  /// The best one, if any was judged; of equals, the first.
  private var best: Checkpoint? {
    let best = all.max { ($0.manifest.score ?? -.infinity) < ($1.manifest.score ?? -.infinity) }
    return best?.manifest.score == nil ? nil : best
  }

  /// Those that are kept when a new one with this score comes.
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
      // Out of sight first: a checkpoint that is half removed must not look damaged.
      let doomed = "\(Self.doomed)\(checkpoint.number)"
      try place.remove(doomed)
      try place.rename(checkpoint.name, to: doomed)
      all.removeAll { $0 == checkpoint }
      try place.remove(doomed)
    }
  }

  private static let doomed = ".removed-"

  private static func isDoomed(_ name: String) -> Bool {
    name.hasPrefix(doomed) && name.dropFirst(doomed.count).utf8.allSatisfy(isDigit)
  }

  private static func isSetAside(_ name: String) -> Bool {
    name.hasPrefix("damaged-") && name.contains("-checkpoint-")
  }

  /// - Returns: its name now.
  private static func setAside(_ name: String, in place: Folder) throws -> String {
    var attempt = 1
    while place.kind(of: "damaged-\(attempt)-\(name)") != nil { attempt += 1 }
    let aside = "damaged-\(attempt)-\(name)"
    try place.rename(name, to: aside)
    return aside
  }
}
