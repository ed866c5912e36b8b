import Core
import Formats

/// The folder of a run: what was asked and why, on which machine, what happened and what came of it.
///
/// `settings.yaml` the resolved settings by group (a valid `--config`), `run.json` the command, reason, version, seed and
/// machine, `metrics.jsonl` the numbers by step, `summary.json` the outcome of a run that reached its end, `failure.json`
/// why it did not, and pictures.
public struct RunDirectory: Sendable, Hashable {
  private var place: String
  /// Held by the process that works on the run.
  private var opened: OpenFolder?

  /// As it was given; for the process that works on the run also where it was moved to since.
  public var path: String { opened?.path ?? place }

  /// Makes the folder of a new run and writes what is known at its start.
  ///
  /// - Parameters:
  ///   - path: the folder that `--out` names; nil makes `root/<time>-<command>-<environment>-<member>-s<seed>`.
  ///   - settings: the resolved groups.
  ///   - fill: writes what else the run has from its start.
  /// - Throws: `InputError` where the folder has something in it, `WorldError` with the path and the system's reason.
  public init(
    at path: String?, root: String = "runs", _ facts: Facts, settings: [any SettingsGroup],
    fill: (RunDirectory) throws -> Void = { _ in }
  ) throws {
    let name = "\(timestamp())-\(facts.command)-\(fileName(of: facts.environment))-\(facts.member)-s\(facts.seed)"
    // All of it appears at once: a process that is killed leaves a run or none.
    let folder = try NewFolder(at: path ?? unusedPath("\(root)/\(name)"))
    place = folder.path
    try writeAtomically(Array(SettingsFile.text(of: settings).utf8), to: file(Self.settings))
    try fill(self)
    try write(facts.json, to: "run.json")
    try folder.commit(last: "run.json")
    place = folder.place
  }

  /// A run that exists.
  /// - Throws: `InputError` where there is none.
  public init(existing path: String) throws {
    guard exists("\(path)/run.json") else { throw InputError("\(path) is no run: it has no run.json") }
    place = path
  }

  /// A run that may be damaged: a folder that holds a run's files.
  init?(anyAt path: String) {
    guard exists("\(path)/run.json") || exists("\(path)/\(RunDirectory.settings)") else { return nil }
    place = path
  }

  /// The run, which stays the same one if its folder gets another name while this process works on it. Throws `WorldError`.
  public func held() throws -> RunDirectory {
    var run = self
    run.opened = try OpenFolder(path)
    return run
  }

  /// The file of resolved settings.
  public static let settings = "settings.yaml"

  /// The resolved settings. Throws `WorldError` with the path where they are missing or damaged.
  public func settings() throws -> SettingsFile {
    let name = Self.settings
    do {
      return try SettingsFile(parsing: bytes(of: name, limit: SettingsFile.byteLimit), path: file(name))
    } catch let error as InputError {
      throw WorldError(error.description)
    }
  }

  /// The keys of settings that differ from those of the run.
  ///
  /// - Parameter groups: all groups of the run's command.
  /// - Throws: `WorldError` with the path where the run's settings are missing or damaged.
  public func differences(from groups: [any SettingsGroup]) throws -> [SettingsDifference] {
    let recorded = try settings()
    // A title that the file lacks is of settings that the program did not have then: nothing is known of them.
    let titles = Set(recorded.groups.map(\.title))
    return try groups.filter { titles.contains($0.title) }.flatMap { try $0.differences(from: recorded) }
  }

  /// The folder's own name, which pictures carry.
  public var name: String {
    let last = path.split(separator: "/").last ?? ""
    guard last.isEmpty || last == "." || last == "..", let place = try? absolutePath(path) else { return String(last) }
    return place.split(separator: "/").last.map(String.init) ?? path
  }

  /// A file of the run.
  public func file(_ name: String) -> String { "\(path)/\(name)" }

  /// The run's own folder, which alone may be reached by a link: all in it is opened from there.
  public func folder() throws -> Folder { try Folder(path: path, followingLink: true) }

  /// The bytes of a file of the run, such as `inspection/values.png`.
  ///
  /// - Throws: `WorldError` with the path, also where the file or a folder on the way to it is a link.
  public func bytes(of name: String, limit: Int) throws -> [UInt8] {
    let parts = name.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
    let folder = try parts.dropLast().reduce(folder()) { try $0.folder($1) }
    return try folder.bytes(of: parts.last ?? "", limit: limit)
  }

  /// The checkpoints of the run, and what an earlier process left half written removed.
  public func checkpoints(kept: Int, settings: UInt64) throws -> Checkpoints {
    try removeLeftovers(in: folder())
    return try Checkpoints(folder: file("checkpoints"), kept: kept, settings: settings)
  }

  /// Writes `summary.json`: the run has reached its end.
  public func finish(_ summary: JSON) throws { try write(summary, to: "summary.json") }

  /// Whether the run has reached its end.
  public var isFinished: Bool { exists(file("summary.json")) }

  /// What the run is told apart by. Throws `WorldError` with the path where `run.json` is damaged.
  public func facts() throws -> Facts {
    guard let facts = Facts(try json("run.json")) else {
      throw WorldError(path: file("run.json"), "is damaged: a part of the record is missing")
    }
    return facts
  }

  /// A JSON file of the run. Throws `WorldError` with the path.
  public func json(_ name: String) throws -> JSON {
    do { return try JSON(parsing: bytes(of: name, limit: 1 << 26)) } catch let error as InputError {
      throw WorldError(path: file(name), error.description)
    }
  }

  /// The run below `root` that began last among those that a condition holds for; a run whose `run.json` cannot be read
  /// is passed over. Nothing where `root` does not exist.
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
