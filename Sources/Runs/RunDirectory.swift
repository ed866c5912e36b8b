import Core
import Formats

/// The directory of a run: its settings, its origin, its metrics and its results.
///
/// `settings.yaml` has the resolved settings by group (a valid `--config`), `run.json` the command, reason, version,
/// seed and machine, `metrics.jsonl` the metrics by step, `summary.json` the result of a finished run, `failure.json`
/// the error of a failed one. There are also pictures.
public struct RunDirectory: Sendable, Hashable {
  private var givenPath: String
  /// Set in the process that works on the run.
  private var opened: OpenFolder?

  /// The path as given. In the process that works on the run, it follows the folder if that is moved.
  public var path: String { opened?.path ?? givenPath }

  /// Makes the directory of a new run and writes its initial files.
  ///
  /// - Parameters:
  ///   - path: The value of `--out`; with nil, `root/<time>-<command>-<environment>-<member>-s<seed>`.
  ///   - settings: The resolved groups.
  ///   - fill: Writes the other initial files.
  /// - Throws: `InputError` if the folder is not empty, `WorldError` with the path and the system's reason.
  public init(
    at path: String?, root: String = "runs", _ facts: Facts, settings: [any SettingsGroup],
    fill: (RunDirectory) throws -> Void = { _ in }
  ) throws {
    let name = "\(timestamp())-\(facts.command)-\(fileName(of: facts.environment))-\(facts.member)-s\(facts.seed)"
    // The directory appears atomically: a killed process leaves a complete one or none.
    let folder = try NewFolder(at: path ?? unusedPath("\(root)/\(name)"))
    givenPath = folder.path
    try writeAtomically(Array(SettingsFile.text(of: settings).utf8), to: file(Self.settings))
    try fill(self)
    try write(facts.json, to: "run.json")
    try folder.commit(last: "run.json")
    givenPath = folder.place
  }

  /// Opens an existing run.
  ///
  /// - Throws: `InputError` if there is none.
  public init(existing path: String) throws {
    guard exists("\(path)/run.json") else {
      guard exists(path) else { throw InputError("\(path) does not exist: 'pixelrl runs' lists the runs in runs/") }
      throw InputError("\(path) is not a run: it has no run.json; 'pixelrl runs' lists the runs in runs/")
    }
    givenPath = path
  }

  /// Opens a run that may be damaged: a folder with `run.json` or `settings.yaml`. Returns nil if it has neither.
  init?(anyAt path: String) {
    guard exists("\(path)/run.json") || exists("\(path)/\(RunDirectory.settings)") else { return nil }
    givenPath = path
  }

  /// Returns the run with its folder opened, so that it follows the folder if that is renamed. Throws `WorldError`.
  public func held() throws -> RunDirectory {
    var run = self
    run.opened = try OpenFolder(path)
    return run
  }

  /// The name of the file of resolved settings.
  public static let settings = "settings.yaml"

  /// Reads the resolved settings. Throws `WorldError` with the path if they are missing or damaged.
  public func settings() throws -> SettingsFile {
    let name = Self.settings
    do {
      return try SettingsFile(parsing: bytes(of: name, limit: SettingsFile.byteLimit), path: file(name))
    } catch let error as InputError {
      throw WorldError(error.description)
    }
  }

  /// Returns the settings that differ from those of the run.
  ///
  /// - Parameter groups: All groups of the run's command.
  /// - Throws: `WorldError` with the path if the run's settings are missing or damaged.
  public func differences(from groups: [any SettingsGroup]) throws -> [SettingsDifference] {
    let recorded = try settings()
    // If the file lacks a group, the version that wrote it did not have these settings: skip them.
    let titles = Set(recorded.groups.map(\.title))
    return try groups.filter { titles.contains($0.title) }.flatMap { try $0.differences(from: recorded) }
  }

  /// The name of the folder, which is also stored in the pictures.
  public var name: String {
    let last = path.split(separator: "/").last ?? ""
    guard last.isEmpty || last == "." || last == "..", let absolute = try? absolutePath(path) else {
      return String(last)
    }
    return absolute.split(separator: "/").last.map(String.init) ?? path
  }

  /// The path of a file of the run.
  public func file(_ name: String) -> String { "\(path)/\(name)" }

  /// Opens the run's folder. Its path may be a link; links inside the folder are not followed.
  public func folder() throws -> Folder { try Folder(path: path, followingLink: true) }

  /// Reads a file of the run, such as `inspection/values.png`.
  ///
  /// - Throws: `WorldError` with the path, also if the file or a folder inside the run is a link.
  public func bytes(of name: String, limit: Int) throws -> [UInt8] {
    let parts = name.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
    let folder = try parts.dropLast().reduce(folder()) { try $0.folder($1) }
    return try folder.bytes(of: parts.last ?? "", limit: limit)
  }

  /// Opens the checkpoints of the run, after removing the unfinished files of earlier processes.
  public func checkpoints(kept: Int, settings: UInt64, or others: Set<UInt64> = []) throws -> Checkpoints {
    try removeLeftovers(in: folder())
    return try Checkpoints(folder: file("checkpoints"), kept: kept, settings: settings, or: others)
  }

  /// Writes `summary.json`, which marks the run as finished.
  public func finish(_ summary: JSON) throws { try write(summary, to: "summary.json") }

  /// Whether the run is finished.
  public var isFinished: Bool { exists(file("summary.json")) }

  /// Reads `run.json`. Throws `WorldError` with the path if it is damaged.
  public func facts() throws -> Facts {
    guard let facts = Facts(try json("run.json")) else {
      throw WorldError(path: file("run.json"), "is damaged: a part of the record is missing")
    }
    return facts
  }

  /// Reads a JSON file of the run. Throws `WorldError` with the path.
  public func json(_ name: String) throws -> JSON {
    do { return try JSON(parsing: bytes(of: name, limit: 1 << 26)) } catch let error as InputError {
      throw WorldError(path: file(name), error.description)
    }
  }

  /// Returns the run in `root` that began last and satisfies a condition, or nil if there is none or `root` does not
  /// exist. Skips runs whose `run.json` cannot be read.
  public static func newest(in root: String = "runs", where condition: (RunDirectory, Facts) throws -> Bool) throws
    -> RunDirectory?
  {
    guard isFolder(root) else { return nil }
    let runs = try visibleFolders(in: root).compactMap { path -> (RunDirectory, JSON, Int)? in
      guard exists("\(path)/run.json") else { return nil }
      let run = try RunDirectory(existing: path)
      guard let json = try? run.json("run.json"), let began = json["began"]?.int else { return nil }
      return (run, json, began)
    }
    for (run, json, _) in runs.sorted(by: { ($0.2, $0.0.path) > ($1.2, $1.0.path) }) {
      if let facts = Facts(json), try condition(run, facts) { return run }
    }
    return nil
  }

  func write(_ json: JSON, to name: String) throws { try writeAtomically(Array(json.indented.utf8), to: file(name)) }
}
