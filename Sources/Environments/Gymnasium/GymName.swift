import Core
import Formats

/// What one types after `--env`: `gym:ALE/Pong-v5`, or `gym:ALE/Pong-v5?mode=1&difficulty=1` with arguments of
/// `gymnasium.make`.
struct GymName: Sendable, Hashable {
  static let prefix = "gym:"

  let id: String
  /// What `gymnasium.make` takes: `ALE/Pong-v5`, `my_module:MyEnv-v0`.
  let name: String
  /// A JSON object of further arguments.
  let options: String

  /// - Throws: `InputError` that says how such a name looks.
  init(_ id: String) throws {
    let parts = id.dropFirst(Self.prefix.count).split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
    guard id.hasPrefix(Self.prefix), let name = parts.first, !name.isEmpty else {
      throw InputError("'\(id)' names no Gymnasium environment: type one such as gym:CartPole-v1")
    }
    var options: [JSON.Member] = []
    for argument in parts.dropFirst().first?.split(separator: "&") ?? [] {
      let pair = argument.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
      guard pair.count == 2 else {
        throw InputError("'\(id)': an argument looks like name=value, not '\(argument)'")
      }
      // `3` and `true` are what they look like, anything else is text.
      options.append(.init(pair[0], (try? JSON(parsing: Array(pair[1].utf8))) ?? .string(pair[1])))
    }
    self.id = id
    self.name = String(name)
    self.options = JSON.object(options).description
  }
}
