import Core
import Foundation

/// Encodes a state as a binary property list, with all numbers exact to the bit. Python's `plistlib` can read it.
public func encoded(_ state: some Encodable) throws -> [UInt8] {
  let encoder = PropertyListEncoder()
  encoder.outputFormat = .binary
  return [UInt8](try encoder.encode(state))
}

/// Decodes the state stored in a part of a checkpoint.
///
/// - Parameters:
///   - new: A new state with the same settings, which the stored one is compared with.
///   - form: The differences that are allowed.
///   - check: Throws if the decoded state is invalid.
/// - Throws: `DamagedFile` with the path if the part is missing, damaged or from another version of this program.
public func decoded<State: Codable>(
  _ type: State.Type, from checkpoint: Checkpoint, _ part: String, like new: State, _ form: StateForm,
  check: (State) throws -> Void = { _ in }
) throws -> State {
  let bytes = try checkpoint.bytes(of: part)
  let path = "\(checkpoint.path)/\(part)"
  do {
    try form.check(bytes, like: new)
    let state = try PropertyListDecoder().decode(State.self, from: Data(bytes))
    try check(state)
    return state
  } catch let error as DecodingError {
    throw DamagedFile(path: path, "does not fit this version of the program: \(error.sentence)")
  } catch let error as InputError {
    throw DamagedFile(path: path, "does not fit this run: \(error.description)")
  }
}

/// Decodes part of a state without comparing it with a new one. The caller must check it.
public func decoded<State: Decodable>(_ type: State.Type, from checkpoint: Checkpoint, _ part: String) throws -> State {
  let bytes = try checkpoint.bytes(of: part)
  do { return try PropertyListDecoder().decode(State.self, from: Data(bytes)) } catch let error as DecodingError {
    throw DamagedFile(
      path: "\(checkpoint.path)/\(part)", "does not fit this version of the program: \(error.sentence)")
  }
}

extension DecodingError {
  fileprivate var sentence: String {
    switch self {
    case .typeMismatch(_, let context), .valueNotFound(_, let context), .keyNotFound(_, let context),
      .dataCorrupted(let context):
      "\(context.codingPath.map(\.stringValue).joined(separator: ".")): \(context.debugDescription)"
    @unknown default: "\(self)"
    }
  }
}
