import Core
import Formats
import Training

/// Answers another program's observations with the actions of a trained agent, one line of JSON each.
struct PolicyServer {
  private var policy: ServedPolicy
  private var input = StandardInput()
  /// The most bytes of a frame that are read: more cannot be meant.
  private static let mostBytes = 1 << 26

  init(_ policy: ServedPolicy) { self.policy = policy }

  /// Serves until the end of the input.
  mutating func run() throws {
    try printLine(facts.description)
    while let line = try input.line() {
      do {
        try printLine(try answer(line).description)
      } catch let error as InputError {
        // The request is wrong: report it and wait for the next one.
        try printLine((["error": .string(error.description)] as JSON).description)
      }
    }
  }

  private var facts: JSON {
    var facts: [JSON.Member] = [.init("environment", .string(policy.environment))]
    if let frame = policy.frame {
      facts += [
        .init("height", .integer(frame.height)), .init("width", .integer(frame.width)),
        .init("channels", .integer(frame.channels)), .init("bytes", .integer(frame.count)),
      ]
    } else {
      facts.append(.init("state", .array(policy.stateNames.map(JSON.string))))
    }
    return .object(facts + policy.actionSpace.members)
  }

  private mutating func answer(_ line: String) throws -> JSON {
    let request = try JSON(parsing: Array(line.utf8))
    // Bytes that were announced are read in any case, so that the next line is a request again.
    var frame: [UInt8]?
    if let count = request["bytes"]?.int {
      guard (0...Self.mostBytes).contains(count) else {
        throw WorldError("a request announces a frame of \(count) bytes: it has \(policy.frame?.count ?? 0)")
      }
      frame = try input.bytes(count)
    }
    switch request["op"]?.text {
    case "begin":
      policy.begin()
      return [:]
    case "act":
      let action =
        if let frame { try policy.action(frame: frame) } else {
          try policy.action(state: numbers(request["state"] ?? .null, of: "\"state\""))
        }
      return ["action": .array(action.map(JSON.number))]
    default: throw InputError("\"op\" takes \"begin\" or \"act\"")
    }
  }
}
