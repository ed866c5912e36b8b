import Core
import Formats

/// The plan of a sweep, as its author writes it: environments × arms × variations × seeds.
///
/// ```yaml
/// title: cartpole-swingup, two learning rates
/// environments: [cartpole-swingup]
/// seeds: 0-4
/// settings: {env-steps: 100000}
/// autoencoders:
///   shared: {ae-steps: 2500}
/// arms:
///   latents: {autoencoder: shared}
///   state: {observe: state}
/// vary: {learning-rate: [0.001, 0.0003]}
/// ```
///
/// The settings are the flags of `pixelrl train`, without their dashes.
public struct PlanFile: Sendable, Hashable {
  public var title = ""
  public var note = ""
  var environments: [Environment] = []
  var seeds: [UInt64] = [0]
  /// Settings of every run that has them.
  var settings: Settings = [:]
  var arms: [Arm] = []
  var variations: [Settings] = [[:]]
  /// Pretrainings and collections that arms share, by name.
  var autoencoders: [String: Settings] = [:]
  var datasets: [String: Settings] = [:]
  /// The text of the file, which is kept with the sweep.
  public let bytes: [UInt8]

  public typealias Settings = [String: String]

  struct Environment: Sendable, Hashable {
    let name: String
    var settings: Settings = [:]
  }

  struct Arm: Sendable, Hashable {
    let name: String
    var settings: Settings = [:]
    /// Its environments with its settings in each; nil: all of the sweep.
    var environments: [Environment]?
    var seeds: [UInt64]?
  }

  /// The keys of the file, in the order of the documentation.
  private static let keys = [
    "title", "note", "environments", "seeds", "settings", "autoencoders", "datasets", "arms", "vary", "sample",
  ]

  /// Reads a plan.
  ///
  /// - Throws: `WorldError` with the path if it cannot be read; `InputError` with path and line if it is wrong.
  public init(path: String) throws {
    try self.init(parsing: readBytes(from: path, limit: Outline.byteLimit), path: path)
  }

  public init(parsing bytes: [UInt8], path: String) throws {
    self.bytes = bytes
    let outline = try Outline(parsing: bytes, path: path)
    let entries = try outline.entries(of: "a plan", "write 'environments: [catch]', 'seeds: 0-4' and 'arms:'")
    var sampled: [Settings] = [[:]]
    var varied: [Settings] = [[:]]
    for entry in entries {
      let value = entry.value
      switch entry.key {
      case "title": title = try value.text(of: "title")
      case "note": note = try value.text(of: "note")
      case "environments": environments = try value.environments()
      case "seeds": seeds = try value.seeds()
      case "settings": settings = try value.settings()
      case "autoencoders": autoencoders = try value.named()
      case "datasets": datasets = try value.named()
      case "arms": arms = try value.arms()
      case "vary": varied = try value.grid()
      case "sample": sampled = try value.samples()
      default: throw value.error("\(InputError.unknown("part of a plan", entry.key, known: Self.keys))")
      }
    }
    variations = varied.flatMap { one in sampled.map { one.merging($0) { $1 } } }
    if arms.isEmpty { arms = [Arm(name: variations == [[:]] ? "train" : "")] }
    guard !environments.isEmpty else {
      throw outline.error("the plan names no environment: add 'environments: [catch]'")
    }
    let names = environments.map(\.name)
    for name in arms.flatMap({ $0.environments ?? [] }).map(\.name) where !names.contains(name) {
      throw outline.error("an arm has the environment \(name), which is not among 'environments'")
    }
    if let twice = Dictionary(grouping: names, by: \.self).first(where: { $0.value.count > 1 }) {
      throw outline.error("the environment \(twice.key) is listed twice")
    }
  }
}

extension Outline {
  /// The members of a mapping; none for an empty value.
  func entries(of what: String, _ remedy: String) throws -> [Entry] {
    switch content {
    case .mapping(let entries): return entries
    case .text(""): return []
    case .text, .list: throw error("\(what) is a mapping: \(remedy)")
    }
  }

  func text(of key: String) throws -> String {
    guard case .text(let text) = content else { throw error("'\(key)' takes a text") }
    return text
  }

  /// The texts of a list, or of a single value.
  func texts(of key: String) throws -> [String] {
    switch content {
    case .text(let text): return text.isEmpty ? [] : [text]
    case .list(let items): return try items.map { try $0.text(of: key) }
    case .mapping: throw error("'\(key)' takes a list, such as [1, 2]")
    }
  }

  fileprivate func settings() throws -> PlanFile.Settings {
    let entries = try entries(of: "a group of settings", "write 'env-steps: 100000'")
    return try Dictionary(uniqueKeysWithValues: entries.map { ($0.key, try $0.value.setting($0.key)) })
  }

  /// The text of a setting's value.
  private func setting(_ key: String) throws -> String {
    guard case .text(let text) = content else {
      throw error("the setting '\(key)' takes one value: list several under 'vary:'")
    }
    return text
  }

  fileprivate func named() throws -> [String: PlanFile.Settings] {
    let entries = try entries(of: "it", "write a name, and its settings below")
    return try Dictionary(uniqueKeysWithValues: entries.map { ($0.key, try $0.value.settings()) })
  }

  fileprivate func environments() throws -> [PlanFile.Environment] {
    guard case .mapping(let entries) = content else { return try texts(of: "environments").map { .init(name: $0) } }
    return try entries.map { .init(name: $0.key, settings: try $0.value.settings()) }
  }

  fileprivate func arms() throws -> [PlanFile.Arm] {
    try entries(of: "'arms'", "write the name of an arm, and its settings below").map { entry in
      var arm = PlanFile.Arm(name: entry.key)
      for part in try entry.value.entries(of: "an arm", "write its settings below, such as 'agent: sac'") {
        switch part.key {
        case "environments" where !part.value.isNumber: arm.environments = try part.value.environments()
        case "seeds": arm.seeds = try part.value.seeds()
        default: arm.settings[part.key] = try part.value.setting(part.key)
        }
      }
      return arm
    }
  }

  /// Whether it is a number: `environments: 8` is the setting of a training, not a list of environments.
  private var isNumber: Bool {
    guard case .text(let text) = content else { return false }
    return Int(text: text) != nil
  }

  /// Seeds such as `0-4` or `[0, 1, 10-12]`.
  fileprivate func seeds() throws -> [UInt64] {
    var isList = false
    if case .list = content { isList = true }
    let seeds = try texts(of: "seeds").flatMap { text -> [UInt64] in
      let ends = text.split(separator: "-", omittingEmptySubsequences: false).map { UInt64($0.filter { $0 != " " }) }
      if ends.count == 2, let first = ends[0], let last = ends[1], first <= last, last - first < 1_000_000 {
        return Array(first...last)
      }
      guard ends.count == 1, let seed = ends[0] else {
        throw error("'seeds' takes a range such as 0-4, or a list such as [0, 1, 10-12], not '\(text)'")
      }
      guard isList else {
        throw error("'seeds: \(seed)' can be read in two ways: write 0-\(seed == 0 ? 0 : seed - 1), or [\(seed)]")
      }
      return [seed]
    }
    guard !seeds.isEmpty else { throw error("'seeds' is empty: write a range such as 0-4") }
    guard Set(seeds).count == seeds.count else { throw error("'seeds' has a seed twice") }
    return seeds
  }
}
