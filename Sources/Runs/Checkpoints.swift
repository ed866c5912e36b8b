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
  /// - Throws: `Damage` that names the file which is missing, torn or damaged, `WorldError` where one cannot be read.
  public init(path: String) throws {
    let file = "\(path)/\(CheckpointManifest.name)"
    guard exists(file) else { throw Damage(path: file, "is missing") }
    do { manifest = try CheckpointManifest(readBytes(from: file, limit: 1 << 26)) } catch let error as InputError {
      throw Damage(path: file, error.description)
    }
    self.path = path
    for part in manifest.parts { _ = try bytes(of: part) }
  }

  /// The bytes of a part, as they were written.
  ///
  /// - Throws: `Damage` that names the file which is missing, torn or damaged, `WorldError` where it cannot be read.
  public func bytes(of name: String) throws -> [UInt8] {
    guard let part = manifest.parts.first(where: { $0.name == name }) else {
      throw Damage(path: "\(path)/\(name)", "is missing: the checkpoint is of another version of this program")
    }
    return try bytes(of: part)
  }

  private func bytes(of part: CheckpointManifest.Part) throws -> [UInt8] {
    let file = "\(path)/\(part.name)"
    guard exists(file) else { throw Damage(path: file, "is missing") }
    let bytes = try readBytes(from: file)
    guard bytes.count == part.byteCount else {
      throw Damage(path: file, "is torn: it has \(bytes.count) bytes, not \(part.byteCount)")
    }
    guard xxHash64(bytes) == part.hash else { throw Damage(path: file, "is damaged: its checksum is wrong") }
    return bytes
  }

  /// The newest whole checkpoint in the folder of all; damaged ones are passed over. Nothing where there is none.
  ///
  /// - Throws: `WorldError` where one cannot be read.
  public static func newest(in folder: String) throws -> Checkpoint? {
    guard isFolder(folder) else { return nil }
    for name in try folderEntries(folder).reversed() where name.hasPrefix("checkpoint-") {
      do { return try Checkpoint(path: "\(folder)/\(name)") } catch is Damage { continue }
    }
    return nil
  }

  /// Counted within the run: a later one may be of the same step.
  var number: Int { Int(path.suffix(6)) ?? 0 }

  static func name(_ number: Int) -> String {
    let digits = String(number)
    return "checkpoint-" + String(repeating: "0", count: max(0, 6 - digits.count)) + digits
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
  /// Where they are now.
  public var folder: String { place() }
  private let place: @Sendable () -> String
  /// How many of the last ones are kept, at least 1.
  public let kept: Int
  /// The fingerprint of the settings that the run goes on with.
  public let settings: UInt64
  /// From the oldest to the newest; all were verified or written here.
  public private(set) var all: [Checkpoint] = []
  /// What was found damaged, and where it lies now.
  public private(set) var complaints: [String] = []
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
  /// left half written or half removed goes.
  ///
  /// - Throws: `WorldError` with the path, or `InputError` where a checkpoint is of other settings than these.
  public init(folder place: @autoclosure @escaping @Sendable () -> String, kept: Int, settings: UInt64) throws {
    precondition(kept > 0, "at least one checkpoint is kept, not \(kept)")
    self.place = place
    let folder = place()
    self.kept = kept
    self.settings = settings
    try makeFolder(folder)
    for name in try folderEntries(folder) {
      if name.hasPrefix(".") { try removeFolder("\(folder)/\(name)") }
      guard name.hasPrefix("checkpoint-") else { continue }
      do {
        let checkpoint = try Checkpoint(path: "\(folder)/\(name)")
        guard checkpoint.manifest.settings == settings else {
          throw InputError("\(checkpoint.path) was made with other settings than the run's settings file has now")
        }
        all.append(checkpoint)
      } catch let error as Damage {
        let place = try setAside(name)
        complaints.append("\(error); it is set aside as \(place)")
      }
    }
    all.sort { $0.number < $1.number }
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
    followFolder()
    let name = Checkpoint.name((newest?.number ?? 0) + 1)
    var writer = try CheckpointWriter(path: "\(folder)/\(name)", step: step, settings: settings, previous: newest)
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

  /// Takes the checkpoints from where they are, should the run have been moved.
  private mutating func followFolder() {
    let folder = folder
    for (index, checkpoint) in all.enumerated() {
      let path = "\(folder)/\(Checkpoint.name(checkpoint.number))"
      if path != checkpoint.path { all[index] = Checkpoint(path: path, manifest: checkpoint.manifest) }
    }
  }

  private mutating func prune() throws {
    let best = all.max { ($0.manifest.score ?? -.infinity) < ($1.manifest.score ?? -.infinity) }
    let kept = all.suffix(kept) + (best?.manifest.score == nil ? [] : [best].compactMap(\.self))
    for checkpoint in all where !kept.contains(checkpoint) {
      // Out of sight first: a checkpoint that is half removed must not look damaged.
      let doomed = "\(folder)/.removed-\(checkpoint.number)"
      guard unsafe rename(checkpoint.path, doomed) == 0 else { throw systemFailure(checkpoint.path) }
      all.removeAll { $0 == checkpoint }
      try removeFolder(doomed)
    }
  }

  private func setAside(_ name: String) throws -> String {
    var attempt = 1
    while exists("\(folder)/damaged-\(attempt)-\(name)") { attempt += 1 }
    let place = "\(folder)/damaged-\(attempt)-\(name)"
    guard unsafe rename("\(folder)/\(name)", place) == 0 else { throw systemFailure(place) }
    return place
  }
}
