import Core
import Formats

/// The name of a Gymnasium environment on the command line: `gym:ALE/Pong-v5`, or `gym:ALE/Pong-v5?mode=1&difficulty=1`
/// with arguments of `gymnasium.make`.
struct GymName: Sendable, Hashable {
  static let prefix = "gym:"

  let id: String
  /// The name for `gymnasium.make`, such as `ALE/Pong-v5` or `my_module:MyEnv-v0`.
  let name: String
  /// The other arguments as a JSON object.
  let options: String

  /// - Throws: `InputError` that shows the expected form if the name is invalid.
  init(_ id: String) throws {
    let parts = id.dropFirst(Self.prefix.count).split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
    guard id.hasPrefix(Self.prefix), let name = parts.first, !name.isEmpty else {
      throw InputError("'\(id)' is not a Gymnasium environment: use a name such as gym:CartPole-v1")
    }
    var options: [JSON.Member] = []
    for argument in parts.dropFirst().first?.split(separator: "&") ?? [] {
      let pair = argument.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
      guard pair.count == 2 else {
        throw InputError("'\(id)': write an argument as name=value, not '\(argument)'")
      }
      options.append(.init(pair[0], Self.value(pair[1])))
    }
    self.id = id
    self.name = String(name)
    self.options = JSON.object(options).description
  }
  /// Python's names of constants, and JSON such as `3` and `true`. Other text is a string.
  private static func value(_ text: String) -> JSON {
    switch text {
    // As a string, False would be true to Python.
    case "True": .bool(true)
    case "False": .bool(false)
    case "None": .null
    default: (try? JSON(parsing: Array(text.utf8))) ?? .string(text)
    }
  }
}
