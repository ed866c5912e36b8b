import Core
import Foundation

/// What a stored state must be like: a new one of the same settings. All that a run never changes is the same, arrays are as
/// long and tensors of the same shapes; what changes is finite, and counts neither down nor without bounds.
///
/// A checkpoint that was damaged or forged with its checksums made good is refused here, before anything is made of it: what
/// computes with a state relies on its sizes and indices.
public struct StateForm: Sendable {
  /// Names of what changes: a number, a text, or all in it, whose arrays still have their lengths. A name that means something
  /// else elsewhere stands with what it is in, such as `history.actions`. Settings and layouts never change, whatever the names
  /// in them.
  public var changing: Set<String>
  /// Names of arrays and states that grow. They are not looked into here: who takes them checks them.
  public var growing: Set<String>

  public init(changing: Set<String>, growing: Set<String> = []) {
    (self.changing, self.growing) = (changing, growing)
  }

  /// Words of 64 random bits.
  private static let random: Set<String> = ["s0", "s1", "s2", "s3", "noise"]
  /// Made at the first update by optimisers of before.
  private static let late: Set<String> = ["moments"]
  private static let fixed: Set<String> = ["settings", "layout", "actionSpace", "retraining"]
  /// The most that anything counts to.
  private static let most = 1 << 53

  /// - Parameters:
  ///   - bytes: a state as `encoded` gives it.
  ///   - new: a new one.
  /// - Throws: `DecodingError` that says where the state has another form.
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

  /// Goes through a state beside the new one.
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
      // How an encoder writes that there is nothing.
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

  /// Any key.
  private struct Name: CodingKey {
    let stringValue: String
    var intValue: Int? { nil }
    init(_ name: String) { stringValue = name }
    init?(stringValue: String) { self.stringValue = stringValue }
    init?(intValue: Int) { nil }
  }
}
