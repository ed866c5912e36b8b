import Core
import Environments
import Formats
import Runs
import Training

/// The settings given to a command. Flags override the file of `--config`, which overrides the settings of the run of
/// `--from`, which override the task's defaults.
struct GivenSettings {
  private let file: SettingsFile?
  /// The run whose settings file is used, if it is one.
  let origin: RunDirectory?
  /// The values of the flags, by key.
  private var typed: [String: String]
  private var task = TaskDefaults.none
  /// Whether the flags are the settings of a point of a sweep, some of which go to all of its arms.
  var isOfSweep = false
  /// The run of `--from`, if the flag is given.
  private(set) var start: StartDefaults?
  /// The settings whose task defaults are ignored because they conflict with other settings.
  private var dropped: Set<AnyKeyPath> = []

  /// - Parameters:
  ///   - config: the path of the settings file.
  ///   - flags: the values of the flags, by key, for each source of the command. No two sources share a key.
  init(config: String?, _ flags: [String: String]...) throws {
    file = try config.map { try SettingsFile(path: $0) }
    let folder = config?.split(separator: "/", omittingEmptySubsequences: false).dropLast().joined(separator: "/")
    origin = folder.flatMap { try? RunDirectory(existing: $0.isEmpty ? "." : $0) }
    typed = Self.merged(flags)
  }

  /// The flags of several sources as one; no two share a key.
  static func merged(_ flags: [[String: String]]) -> [String: String] {
    flags.reduce(into: [:]) { all, some in all.merge(some) { first, _ in first } }
  }

  /// Whether a flag sets this setting.
  func isTyped(_ key: String) -> Bool { typed[key] != nil }

  /// Whether a flag, the file or the task's defaults set this setting.
  func isGiven<Group: SettingsGroup>(_ path: PartialKeyPath<Group>) -> Bool {
    let key = Group.key(of: path)
    return isTyped(key) || file?[Group.title]?.entries.contains { $0.key == key } == true
      || (!dropped.contains(path) && task.texts(of: Group.self)[key] != nil)
  }

  /// Sets a flag's value, such as that of `--observe latent` for `--latent`.
  mutating func type(_ key: String, _ text: String) { typed[key] = text }

  /// Reads the run of `--from`, if the flag is given. From then on, its settings apply.
  mutating func begin() throws {
    let from = try resolve(StartingWeights()).from
    guard isTyped(StartingWeights.key(of: \.from)), !from.isEmpty else { return }
    let named = isGiven(\EnvironmentChoice.env) ? try resolve(EnvironmentChoice()).env : nil
    start = try StartDefaults(from, environment: named)
  }

  /// Returns the chosen environment. From then on, its task defaults apply.
  ///
  /// - Parameter name: the environment's name, or nil for the one of `--env` or the file.
  mutating func environment(_ name: String? = nil) throws -> any Environment {
    let name = try name ?? resolve(EnvironmentChoice()).env
    // A Python process may start here, before the other settings are resolved.
    let timeout = try resolve(EpisodeSettings()).gymTimeout
    let environment = try Environments.named(name, timeout: timeout)
    try checkFlags(for: environment.spec.id)
    task = TaskDefaults.of(environment.spec.id)
    return environment
  }

  /// Checks that no flag is given that has no effect in this environment. A file may have such settings: that of a run
  /// has all settings.
  ///
  /// - Throws: `InputError` that names the flag.
  func checkFlags(for environment: String) throws {
    let isGymnasiums = environment.hasPrefix(Environments.gymPrefix)
    for (keys, applies, kind) in [
      (Self.sceneFlags, Environments.drawsScenes(environment), "a MuJoCo task"),
      (Self.gymFlags, isGymnasiums, "a Gymnasium environment"),
    ] where !applies {
      guard let key = keys.first(where: isTyped) else { continue }
      let flag = typed[key] == "false" ? "--no-\(key)" : "--\(key)"
      throw InputError("\(flag) has no effect in \(environment), which is not \(kind): leave it out")
    }
  }

  /// The flags that change only MuJoCo scenes.
  private static let sceneFlags = ["renderer", "shadows", "reflections", "antialiasing"]
  /// The flags that change only Gymnasium environments.
  private static let gymFlags = ["fit", "no-op-starts", "life-loss", "gym-failure", "gym-timeout"]

  /// Ignores a task default that conflicts with other settings.
  mutating func dropTaskDefault<Group: SettingsGroup>(_ path: PartialKeyPath<Group>) { dropped.insert(path) }

  /// Returns a group of settings. Applies the task's defaults, the run of `--from`, the file, then the flags.
  ///
  /// - Parameter defaults: the values of settings that are not given.
  func resolve<Group: SettingsGroup>(_ defaults: Group = Group()) throws -> Group {
    var group = defaults
    let texts = task.texts(of: Group.self)
    for field in Group.fields where !dropped.contains(field.path) {
      if let text = texts[field.key] { try field.set(&group, text) }
    }
    try start?.apply(to: &group)
    try file?.apply(to: &group)
    for field in Group.fields {
      if let text = typed[field.key] { try field.set(&group, text) }
    }
    return group
  }

  /// Checks that each given setting belongs to one of the groups.
  ///
  /// - Parameter member: the settings and the name of the chosen member of a catalog, such as "the agent sac", for the
  ///   error about a flag of another member.
  /// - Throws: `InputError` if a setting belongs to none of the groups.
  func check(_ groups: [any SettingsGroup], member: (settings: any SettingsGroup, name: String)? = nil) throws {
    try file?.check(groups)
    let known = Set(groups.flatMap { $0.record.map(\.key) })
    guard let key = typed.keys.sorted().first(where: { !known.contains($0) }) else { return }
    let own = member?.settings.record.map { "--\($0.key)" } ?? []
    throw InputError("\(member?.name ?? "this command") has no --\(key); it has \(own.joined(separator: ", "))")
  }
}
