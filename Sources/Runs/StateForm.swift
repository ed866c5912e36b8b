import Core
import Foundation

/// Checks a stored state against a new state with the same settings. Values that a run never changes must be equal,
/// arrays must have the same lengths and tensors the same shapes. Values that change must be finite, and counts within
/// bounds.
///
/// This rejects checkpoints that were damaged or forged with valid checksums, before the state is used: the code that
/// uses it relies on its sizes and indices.
public struct StateForm: Sendable {
  /// The names of values that may change: a number, a string, or everything inside, where arrays still keep their
  /// lengths. A name that is used elsewhere too is given with its parent, such as `history.actions`. Settings and
  /// layouts never change, whatever the names in them.
  public var changing: Set<String>
  /// The names of arrays and states that grow. They are not checked here; their users check them.
  public var growing: Set<String>

  public init(changing: Set<String>, growing: Set<String> = []) {
    (self.changing, self.growing) = (changing, growing)
  }

  /// The names of words with 64 random bits.
  private static let random: Set<String> = ["s0", "s1", "s2", "s3", "noise", "pattern"]
  /// The names of arrays that may be empty: older optimisers made them at the first update.
  private static let late: Set<String> = ["moments"]
  private static let fixed: Set<String> = ["settings", "layout", "actionSpace", "retraining"]
  /// The maximum of any count.
  private static let most = 1 << 53

  /// - Parameters:
  ///   - bytes: A state encoded with `encoded`.
  ///   - new: A new state.
  /// - Throws: `DecodingError` with the path and the difference.
  func check(_ bytes: [UInt8], like new: some Encodable) throws {
    let new = try unsafe PropertyListSerialization.propertyList(from: Data(encoded(new)), format: nil)
    let decoder = PropertyListDecoder()
    decoder.userInfo[StateForm.key] = Task(form: self, new: new)
    _ = try decoder.decode(Checked.self, from: Data(bytes))
  }

  private static let key = CodingUserInfoKey(rawValue: "form")!

  private struct Task: @unchecked Sendable {
    let form: StateForm
    let new: Any
  }

  /// Decodes a state and compares it with the new one.
  private struct Checked: Decodable {
    init(from decoder: any Decoder) throws {
      guard let task = decoder.userInfo[StateForm.key] as? Task else { return }
      try task.form.check(decoder, like: task.new, name: "", isFree: false)
    }
  }

  private func check(_ decoder: any Decoder, like new: Any, name: String, isFree: Bool) throws {
    if Self.fixed.contains(name), !changing.isEmpty {
      return try StateForm(changing: []).check(decoder, like: new, name: name, isFree: false)
    }
    switch new {
    case let members as [String: Any]:
      let container = try decoder.container(keyedBy: Name.self)
      for (key, value) in members.sorted(by: { $0.key < $1.key }) where !growing.contains(key) {
        guard container.contains(Name(key)) else {
          throw DecodingError.keyNotFound(
            Name(key), .init(codingPath: container.codingPath, debugDescription: "\(key) is missing"))
        }
        try check(
          container.superDecoder(forKey: Name(key)), like: value, name: key,
          isFree: isFree || changing.contains(key) || changing.contains("\(name).\(key)"))
      }
    case let elements as [Any]:
      var container = try decoder.unkeyedContainer()
      let count = container.count ?? 0
      if count == 0 && Self.late.contains(name) || isFree && elements.isEmpty { return }
      guard count == elements.count else { throw other(decoder, "\(count) elements, not \(elements.count)") }
      for element in elements { try check(container.superDecoder(), like: element, name: name, isFree: isFree) }
    default: try checkValue(decoder, like: new, name: name, isFree: isFree)
    }
  }

  private func checkValue(_ decoder: any Decoder, like new: Any, name: String, isFree: Bool) throws {
    let container = try decoder.singleValueContainer()
    switch new {
    case let data as Data:
      let count = try container.decode(Data.self).count
      guard count == data.count else { throw other(decoder, "\(count) bytes, not \(data.count)") }
    case let text as String:
      // Encoders write nil as "$null".
      guard text != "$null" else { return }
      let found = try container.decode(String.self)
      guard isFree || found == text else { throw other(decoder, "'\(found)', not '\(text)'") }
    case let truth as Bool where type(of: new) == Bool.self:
      let found = try container.decode(Bool.self)
      guard isFree || found == truth else { throw other(decoder, "\(found), not \(truth)") }
    case let number as NSNumber where ["d", "f"].contains(unsafe String(cString: number.objCType)):
      let found = try container.decode(Double.self)
      guard isFree ? found.isFinite : found == number.doubleValue || number.doubleValue.isNaN else {
        throw other(decoder, isFree ? "\(found)" : "\(found), not \(number.doubleValue)")
      }
    case let number as NSNumber:
      if Self.random.contains(name) {
        _ = try container.decode(UInt64.self)
        return
      }
      let found = try container.decode(Int.self)
      guard isFree ? (0...Self.most).contains(found) : found == number.intValue else {
        throw other(decoder, isFree ? "\(found)" : "\(found), not \(number.intValue)")
      }
    default: break
    }
  }

  private func other(_ decoder: any Decoder, _ what: String) -> DecodingError {
    .dataCorrupted(.init(codingPath: decoder.codingPath, debugDescription: "it is \(what)"))
  }

  /// A coding key with any name.
  private struct Name: CodingKey {
    let stringValue: String
    var intValue: Int? { nil }
    init(_ name: String) { stringValue = name }
    init?(stringValue: String) { self.stringValue = stringValue }
    init?(intValue: Int) { nil }
  }
}
