import Core
import Runs

/// A point before its settings are resolved.
public struct Draft: Sendable, Hashable {
  public var command: Point.Command
  public var environment: String
  public var arm: String
  public var seed: UInt64
  /// The flags that it is given, without `env`, `seed` and those of its needs.
  public var given: PlanFile.Settings
  /// The drafts that it waits for, by the setting that names their folder.
  var needs: [String: Key] = [:]

  /// What identifies a shared draft.
  struct Key: Sendable, Hashable {
    let command: Point.Command
    let environment: String
    let arm: String
    let seed: UInt64
  }

  var key: Key { Key(command: command, environment: environment, arm: arm, seed: seed) }
}

extension PlanFile {
  /// The drafts of all points; those that others wait for come first.
  ///
  /// - Parameter keys: the flags of each command.
  /// - Throws: `InputError` about a setting that no command has, or a name that is not in the plan.
  func drafts(keys: [Point.Command: Set<String>]) throws -> [Draft] {
    try check(keys)
    var shared: [Draft] = []
    var known: Set<Draft.Key> = []
    var trainings: [Draft] = []
    for environment in environments {
      for arm in arms {
        guard let own = arm.settings(in: environment.name) else { continue }
        for variation in variations {
          for seed in arm.seeds ?? seeds {
            var draft = Draft(
              command: .train, environment: environment.name, arm: name(of: arm, variation), seed: seed,
              given: given(to: .train, keys, environment.settings, own, variation))
            for needed in try needs(of: &draft, environment, keys) where known.insert(needed.key).inserted {
              shared.append(needed)
            }
            trainings.append(draft)
          }
        }
      }
    }
    guard !trainings.isEmpty else { throw InputError("the plan has no points: no arm has one of its environments") }
    guard shared.count + trainings.count <= Self.pointLimit else {
      throw InputError(
        "the plan has \(shared.count + trainings.count) points: use several plans of at most \(Self.pointLimit)")
    }
    if let twice = Dictionary(grouping: trainings, by: \.key).first(where: { $0.value.count > 1 })?.key {
      throw InputError("'\(twice.arm)' in \(twice.environment) with seed \(twice.seed) is in the plan twice")
    }
    return shared.filter { $0.command == .collect } + shared.filter { $0.command == .pretrain } + trainings
  }

  /// `sac learning-rate=0.001`
  private func name(of arm: Arm, _ variation: Settings) -> String {
    let values = variation.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }
    return ([arm.name] + values).filter { !$0.isEmpty }.joined(separator: " ")
  }

  /// Merges settings; later ones override earlier ones. The sweep's and an environment's settings go to every command
  /// that has them, those of an arm and a variation to the training.
  private func given(
    to command: Point.Command, _ keys: [Point.Command: Set<String>], _ environment: Settings, _ own: Settings...
  ) -> Settings {
    let general = settings.merging(environment) { $1 }.filter { keys[command, default: []].contains($0.key) }
    return own.reduce(general) { $0.merging($1) { $1 } }
  }

  /// The dataset and the autoencoder that a training waits for, and the autoencoder's dataset. Their names are replaced
  /// by references.
  private func needs(
    of draft: inout Draft, _ environment: Environment, _ keys: [Point.Command: Set<String>]
  ) throws -> [Draft] {
    let own = try collection(neededBy: &draft, environment, keys).map { [$0] } ?? []
    return try own + pretraining(neededBy: &draft, environment, keys)
  }

  private func pretraining(
    neededBy draft: inout Draft, _ environment: Environment, _ keys: [Point.Command: Set<String>]
  ) throws -> [Draft] {
    guard let name = draft.given["autoencoder"], let own = autoencoders[name] else { return [] }
    draft.given["autoencoder"] = nil
    var pretraining = Draft(
      command: .pretrain, environment: draft.environment, arm: name, seed: try seed(own, draft.seed),
      given: given(to: .pretrain, keys, environment.settings, own).filter { $0.key != "seed" })
    draft.needs["autoencoder"] = pretraining.key
    return (try collection(neededBy: &pretraining, environment, keys).map { [$0] } ?? []) + [pretraining]
  }

  private func collection(
    neededBy draft: inout Draft, _ environment: Environment, _ keys: [Point.Command: Set<String>]
  ) throws -> Draft? {
    guard let name = draft.given["dataset"], let own = datasets[name] else { return nil }
    draft.given["dataset"] = nil
    let collection = Draft(
      command: .collect, environment: draft.environment, arm: name, seed: try seed(own, draft.seed),
      given: given(to: .collect, keys, environment.settings, own).filter { $0.key != "seed" })
    draft.needs["dataset"] = collection.key
    return collection
  }

  /// A shared point has the seed of the run that needs it, or its own for all runs.
  private func seed(_ settings: Settings, _ needed: UInt64) throws -> UInt64 {
    guard let text = settings["seed"] else { return needed }
    guard let seed = UInt64(text: text) else {
      throw InputError("'seed' takes a whole number of at least 0, not '\(text)'")
    }
    return seed
  }

  /// Checks the names of all settings.
  private func check(_ keys: [Point.Command: Set<String>]) throws {
    func check(_ settings: Settings, _ commands: [Point.Command]) throws {
      let known = commands.flatMap { keys[$0, default: []] }
      for key in settings.keys.sorted() {
        if key == "env" || key == "seed" && commands.contains(.train) {
          throw InputError(
            "'\(key)' is not a setting of an arm: use '\(key == "env" ? "environments" : "seeds")' instead")
        }
        guard !known.contains(key) else { continue }
        if let section = section(of: key) {
          throw InputError("the setting '\(key)' belongs under '\(section):'")
        }
        throw InputError.unknown("setting", key, known: known.sorted())
      }
    }
    /// The section of the settings of the command that has this one; nil if none has it.
    func section(of key: String) -> String? {
      [(Point.Command.train, "arms"), (.pretrain, "autoencoders"), (.collect, "datasets")]
        .first { keys[$0.0, default: []].contains(key) }?.1
    }
    try check(settings, Point.Command.allCases)
    for environment in environments { try check(environment.settings, Point.Command.allCases) }
    for settings in arms.flatMap(\.allSettings) { try check(settings, [.train]) }
    for variation in variations.prefix(1) { try check(variation, [.train]) }
    for settings in autoencoders.values { try check(settings, [.pretrain]) }
    for settings in datasets.values { try check(settings, [.collect]) }
    for (key, shared) in [("autoencoder", autoencoders), ("dataset", datasets)] {
      for name in arms.flatMap(\.allSettings).compactMap({ $0[key] }) {
        guard !name.isEmpty, shared[name] == nil, !name.contains("/"), !exists(name) else { continue }
        guard !shared.isEmpty else {
          throw InputError(
            "there is no \(key) '\(name)': add '\(key)s: {\(name): {…}}' to the file, or give the path of a folder")
        }
        throw InputError.unknown(key, name, known: shared.keys.sorted())
      }
    }
  }
}

extension PlanFile.Arm {
  /// The arm's settings in an environment; nil if it does not run there.
  fileprivate func settings(in environment: String) -> PlanFile.Settings? {
    guard let environments else { return settings }
    return environments.first { $0.name == environment }.map { settings.merging($0.settings) { $1 } }
  }

  /// Its settings in all environments, and in each.
  fileprivate var allSettings: [PlanFile.Settings] { [settings] + (environments ?? []).map(\.settings) }
}
