import Core
import Formats
import Sweeps

/// Resolves the settings of points. Points that differ only in their seed are resolved once.
final class PointSettings {
  private var known: [[String: String]: ResolvedSettings] = [:]

  /// - Parameter flags: all flags of the point, with `env` and `seed`.
  func resolve(_ command: Point.Command, _ flags: [String: String]) throws -> ResolvedSettings {
    var key = flags
    (key["seed"], key[" command"]) = (nil, command.rawValue)
    // The folder of what it waits for changes with the seed.
    for name in ["autoencoder", "dataset"] where flags[name]?.hasPrefix("runs/") == true { key[name] = "runs/" }
    let resolved = try known[key] ?? ResolvedSettings(groups(command, flags))
    known[key] = resolved
    return resolved.setting(
      ["seed", "autoencoder", "dataset"].reduce(into: [:]) { $0[$1] = flags[$1] })
  }

  private func groups(_ command: Point.Command, _ flags: [String: String]) throws -> [any SettingsGroup] {
    switch command {
    case .train: try TrainingFlags(flags).plan(inSweep: true).groups
    case .pretrain: try PretrainingFlags(flags).plan().groups
    case .collect: try CollectionFlags(flags).plan().groups
    }
  }
}
