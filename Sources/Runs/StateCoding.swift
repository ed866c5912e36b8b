import Core
import Foundation

/// The bytes of a state, every number to the bit: a binary property list, which Python's `plistlib` reads too.
public func encoded(_ state: some Encodable) throws -> [UInt8] {
  let encoder = PropertyListEncoder()
  encoder.outputFormat = .binary
  return [UInt8](try encoder.encode(state))
}

/// The state that a part of a checkpoint holds.
///
/// - Parameters:
///   - new: a new state of the same settings, which this one must be like.
///   - form: in what it may differ from the new one.
///   - check: throws what is wrong with what was read.
/// - Throws: `DamagedFile` with the path where it is missing, damaged or of another version of this program.
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

/// The same of a part of a state, of which no new one is at hand: who takes it checks it.
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
