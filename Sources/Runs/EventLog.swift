import Core
import Formats
import Pixels

#if canImport(Glibc)
  import Glibc
#else
  import Foundation
#endif

/// Writes TensorBoard's event files: records of the Protocol Buffers message `Event`, each with checksums of its length
/// and of its bytes (the TFRecord format).
///
/// A resumed run removes the events after its checkpoint and continues in a new file. The first event of that file
/// makes a running TensorBoard drop those events too.
struct EventLog: ~Copyable {
  /// The events that a resumed run keeps: all files whose names sort before `file`, and the first bytes of `file`.
  struct Position: Codable, Sendable, Hashable {
    var file: String
    var byteCount: Int
  }

  private let name: String
  private var file: AppendedFile
  var position: Position { Position(file: name, byteCount: file.byteCount) }

  /// Starts a new file in a folder.
  ///
  /// - Parameters:
  ///   - kept: The position stored in a checkpoint of the run; nil for a new run.
  ///   - step: The run's last step so far. Only later steps are appended.
  init(in folder: String, keeping kept: Position?, step: Int) throws {
    let opened = try Folder(path: folder, followingLink: true)
    for name in try opened.names() where Self.time(of: name) != nil && kept.map({ name > $0.file }) ?? true {
      try opened.remove(name)
    }
    if let kept, kept.byteCount > 0 { _ = try AppendedFile(path: "\(folder)/\(kept.file)", keeping: kept.byteCount) }
    // TensorBoard reads the files in the order of their names, so each file needs a later time than the one before.
    let last = kept.flatMap { Self.time(of: $0.file) } ?? 0
    let name = "\(Self.prefix)\(max(Int(wallTime), last + 1)).pixelrl.\(getpid()).0"
    var file = try AppendedFile(path: "\(folder)/\(name)")
    try file.append(Self.event(step: 0, .string(3, "brain.Event:2")))
    let start = 1
    if kept != nil { try file.append(Self.event(step: step + 1, .message(7, [.integer(1, start)]))) }
    self.name = name
    self.file = file
  }

  private static let prefix = "events.out.tfevents."

  /// Whether the folder has earlier event files of the run.
  func hasEarlierFiles(in folder: String) throws -> Bool {
    try folderEntries(folder).contains { Self.time(of: $0) != nil && $0 != name }
  }

  /// The time in seconds in the name of this program's event files, `events.out.tfevents.SECONDS.pixelrl.PROCESS.0`;
  /// nil for other names.
  fileprivate static func time(of name: String) -> Int? {
    guard name.hasPrefix(prefix) else { return nil }
    let parts = name.dropFirst(prefix.count).split(separator: ".", omittingEmptySubsequences: false)
    guard parts.count == 4, parts[0].utf8.count < 16, parts[1] == "pixelrl", parts[3] == "0",
      [parts[0], parts[2]].allSatisfy({ !$0.isEmpty && $0.utf8.allSatisfy(isDigit) })
    else { return nil }
    return Int(parts[0])
  }

  /// Writes the metrics of a step.
  mutating func append(step: Int, _ metrics: Metrics) throws {
    try append(step: step, summary: metrics.entries.map { [.string(1, $0.name), .float(2, Float($0.value))] })
  }

  /// Writes a picture.
  mutating func append(step: Int, _ tag: String, _ picture: PixelBuffer) throws {
    let image: [ProtobufField] = [
      .integer(1, picture.height), .integer(2, picture.width), .integer(3, picture.channels),
      .bytes(4, try PNG.encode(picture)),
    ]
    try append(step: step, summary: [[.string(1, tag), .message(4, image)]])
  }

  /// Writes a text in Markdown, as a tensor of one string.
  mutating func append(step: Int, _ tag: String, markdown: String) throws {
    let (string, tensorClass) = (7, 2)
    let tensor: [ProtobufField] = [
      .integer(1, string), .message(2, [.message(2, [.integer(1, 1)])]), .string(8, markdown),
    ]
    let metadata: [ProtobufField] = [.message(1, [.string(1, "text")]), .integer(4, tensorClass)]
    try append(step: step, summary: [[.string(1, tag), .message(8, tensor), .message(9, metadata)]])
  }

  /// Writes the hyperparameters for TensorBoard's HParams table.
  ///
  /// - Parameter settings: Numbers, Booleans and strings by name, such as `agent/hidden`.
  mutating func append(hyperparameters settings: [JSON.Member], run: String) throws {
    let entries: [ProtobufField] = settings.map { setting in
      let value: ProtobufField =
        switch setting.value {
        case .bool(let truth): .integer(4, truth ? 1 : 0)
        case .integer, .number: .double(2, setting.value.double ?? .nan)
        default: .string(3, setting.value.text ?? setting.value.description)
        }
      return .message(1, [.string(1, setting.key), .message(2, [value])])
    }
    let start = entries + [.string(4, run), .double(5, wallTime)]
    let plugin: [ProtobufField] = [
      .string(1, "hparams"), .bytes(2, ProtobufField.encode([.integer(1, 0), .message(3, start)])),
    ]
    let (float, tensorClass) = (1, 2)
    // The plugin reads its data from the metadata, but every value needs a tensor.
    let tensor: [ProtobufField] = [.integer(1, float), .message(2, []), .float(5, 0)]
    try append(
      step: 0,
      summary: [
        [
          .string(1, "_hparams_/session_start_info"), .message(8, tensor),
          .message(9, [.message(1, plugin), .integer(4, tensorClass)]),
        ]
      ])
  }

  /// Writes the description of a run: its settings by group, as text and as hyperparameters, and why it was made.
  mutating func describe(_ run: RunDirectory) throws {
    var all: [JSON.Member] = []
    for group in try run.settings().groups {
      let rows = ["| setting | value |", "|---|---|"] + group.entries.map { "| \($0.key) | \($0.text) |" }
      try append(step: 0, "settings/\(group.title)", markdown: rows.joined(separator: "\n"))
      all += group.entries.map { JSON.Member("\(group.title)/\($0.key)", $0.value) }
    }
    try append(hyperparameters: all, run: run.name)
    let why = try run.facts().why
    if !why.isEmpty { try append(step: 0, "why", markdown: why) }
  }

  func synchronize() throws { try file.synchronize() }

  private mutating func append(step: Int, summary values: [[ProtobufField]]) throws {
    try file.append(Self.event(step: step, .message(5, values.map { .message(1, $0) })))
  }

  /// The record of an event with the current time.
  private static func event(step: Int, _ what: ProtobufField) -> [UInt8] {
    TFRecord.bytes(of: ProtobufField.encode([.double(1, wallTime), .integer(2, step), what]))
  }
}

/// Seconds since 1970.
private var wallTime: Double { Double(nanoseconds()) / 1e9 }

/// A checkpoint names the file to truncate: decoding accepts only names that this program writes.
extension EventLog.Position {
  init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: CodingKeys.self)
    file = try container.decode(String.self, forKey: .file)
    byteCount = try container.decode(Int.self, forKey: .byteCount)
    guard EventLog.time(of: file) != nil, byteCount >= 0 else {
      throw DecodingError.dataCorruptedError(
        forKey: .file, in: container,
        debugDescription: "\(byteCount) bytes of '\(file)' is not a position in an event file")
    }
  }
}

extension SettingsFile.Entry {
  /// The text as a Boolean or a number if it is one, otherwise as a string.
  fileprivate var value: JSON {
    if let truth = Bool(text) { return .bool(truth) }
    return Double(text).map { .number($0) } ?? .string(text)
  }
}
