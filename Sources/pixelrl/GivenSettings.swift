import Core
import Environments
import Formats
import Runs
import Training

/// What a command was told of its settings: a task's own defaults, over them the file of `--config`, and over that flags.
struct GivenSettings {
  private let file: SettingsFile?
  /// The run that is done again: whose record the file is.
  let origin: RunDirectory?
  /// What was typed, by key.
  private var typed: [String: String]
  private var task = TaskDefaults.none
  /// The settings whose defaults of the task do not fit the rest.
  private var dropped: Set<AnyKeyPath> = []

  /// - Parameters:
  ///   - config: the file's path.
  ///   - flags: what was typed, by key, of each source of the command; no two share a key.
  init(config: String?, _ flags: [String: String]...) throws {
    file = try config.map { try SettingsFile(path: $0) }
    let folder = config?.split(separator: "/", omittingEmptySubsequences: false).dropLast().joined(separator: "/")
    origin = folder.flatMap { try? RunDirectory(existing: $0.isEmpty ? "." : $0) }
    typed = flags.reduce(into: [:]) { all, some in all.merge(some) { first, _ in first } }
  }

  /// Whether a flag set it.
  func isTyped(_ key: String) -> Bool { typed[key] != nil }

  /// Whether a flag, the file or the task's defaults set it.
  func isGiven<Group: SettingsGroup>(_ path: PartialKeyPath<Group>) -> Bool {
    let key = Group.key(of: path)
    return isTyped(key) || file?[Group.title]?.entries.contains { $0.key == key } == true
      || (!dropped.contains(path) && task.texts(of: Group.self)[key] != nil)
  }

  /// Takes a flag for another, such as `--latent` for `--observe latent`.
  mutating func type(_ key: String, _ text: String) { typed[key] = text }

  /// The environment that was chosen, whose defaults count from now on.
  ///
  /// - Parameter name: nil: what `--env` or the file says.
  mutating func environment(_ name: String? = nil) throws -> any Environment {
    let name = try name ?? resolve(EnvironmentChoice()).env
    // A Python process starts here, long before all settings are known.
    let timeout = try resolve(EpisodeSettings()).gymTimeout
    let environment = try Environments.named(name, timeout: timeout)
    task = TaskDefaults.of(environment.spec.id)
    return environment
  }

  /// Leaves out a default of the task that does not fit the rest.
  mutating func dropTaskDefault<Group: SettingsGroup>(_ path: PartialKeyPath<Group>) { dropped.insert(path) }

  /// A group with the task's defaults, what the file says and what was typed, in this order.
  /// - Parameter defaults: the values of what was not given.
  func resolve<Group: SettingsGroup>(_ defaults: Group = Group()) throws -> Group {
    var group = defaults
    let texts = task.texts(of: Group.self)
    for field in Group.fields where !dropped.contains(field.path) {
      if let text = texts[field.key] { try field.set(&group, text) }
    }
    try file?.apply(to: &group)
    for field in Group.fields {
      if let text = typed[field.key] { try field.set(&group, text) }
    }
    return group
  }

  /// Refuses what was given to none of the groups.
  ///
  /// - Parameter member: the settings of a catalog's member and who that is, such as "the agent sac", for the error
  ///   about a flag that only others have.
  func check(_ groups: [any SettingsGroup], member: (settings: any SettingsGroup, name: String)? = nil) throws {
    try file?.check(groups)
    let known = Set(groups.flatMap { $0.record.map(\.key) })
    guard let key = typed.keys.sorted().first(where: { !known.contains($0) }) else { return }
    let own = member?.settings.record.map { "--\($0.key)" } ?? []
    throw InputError("\(member?.name ?? "this command") has no --\(key); it has \(own.joined(separator: ", "))")
  }
}
