/// A group of settings. Each setting is declared once: as a stored property with its default, and as a `Field` that
/// defines its flag, its key in config files and run records, its help text and its row in the documentation.
///
/// ```swift
/// struct Settings: SettingsGroup {
///   var hidden = 256
///   static let title = "agent"
///   static var fields: [Field<Self>] { [Field("hidden", \.hidden, 1...65_536, "units of each hidden layer")] }
/// }
/// ```
public protocol SettingsGroup: Sendable, Codable {
  /// Creates the group with all defaults.
  init()
  /// The section of the settings in a config file, such as `agent`. Several groups may share it.
  static var title: String { get }
  static var fields: [Field<Self>] { get }
}

/// What a setting affects in recorded frames and transitions. Data recorded with a different value cannot be reused.
public enum SettingEffect: Sendable, Hashable {
  /// The content of a frame.
  case view
  /// The effect of an action.
  case dynamics
}

/// One setting of a group.
public struct Field<Group>: Sendable {
  /// The config key, which is also the flag without its dashes, such as `learning-rate`.
  public let key: String
  /// The property that stores it.
  public let path: PartialKeyPath<Group> & Sendable
  public let help: String
  /// A description of the allowed values: `a whole number from 1 to 64`, `true or false`.
  public let domain: String
  /// All allowed values if they can be listed; empty for numbers and texts.
  public let choices: [String]
  /// Whether it is a switch: given as `--key` or `--no-key`, without a value.
  public let isSwitch: Bool
  /// Returns the value as written on the command line.
  public let text: @Sendable (Group) -> String
  /// Parses and stores a value, or throws an error that says which values are allowed.
  public let set: @Sendable (inout Group, String) throws -> Void
  /// What it affects in recorded frames and transitions; nil for nothing.
  public private(set) var effect: SettingEffect?
  /// Whether older versions did not have it, and behaved as with its default.
  private(set) var isAddedLater = false

  /// Returns the setting, marked with what it affects.
  public func changing(_ effect: SettingEffect) -> Field {
    var field = self
    field.effect = effect
    return field
  }

  /// Returns the setting, marked as one that older versions did not have. They behaved as with its default, so runs that
  /// they began can be resumed.
  public func addedLater() -> Field {
    var field = self
    field.isAddedLater = true
    return field
  }

  /// A number within a range.
  public init<Value: NumericSetting>(
    _ key: String, _ path: WritableKeyPath<Group, Value> & Sendable, _ range: ClosedRange<Value>, _ help: String
  ) {
    self.init(key, path, domain: Value.domain(range), help) { range.contains($0) }
  }

  /// A switch.
  public init(_ key: String, _ path: WritableKeyPath<Group, Bool> & Sendable, _ help: String) {
    self.init(key, path, domain: "true or false", help) { _ in true }
  }

  /// Whole numbers, at least 1 each.
  public init(_ key: String, _ path: WritableKeyPath<Group, [Int]> & Sendable, _ help: String) {
    self.init(key, path, domain: "numbers such as 1000,2000, or none", help) { $0.allSatisfy { $0 > 0 } }
  }

  /// Free text.
  public init(_ key: String, _ path: WritableKeyPath<Group, String> & Sendable, _ help: String) {
    self.init(key, path, domain: "text", help) { _ in true }
  }

  /// A value of another type, such as a size.
  ///
  /// - Parameter domain: a description of the values that the type accepts.
  public init<Value: SettingValue>(
    _ key: String, _ path: WritableKeyPath<Group, Value> & Sendable, domain: String, _ help: String
  ) {
    self.init(key, path, domain: domain, help) { _ in true }
  }

  /// The name of a member of a catalog. The error for an unknown name suggests the most similar one.
  ///
  /// - Parameters:
  ///   - kind: what the members are, such as `agent`.
  ///   - prefix: names with this prefix are accepted too.
  ///   - unknown: returns the error for an unknown name; nil for one that suggests the most similar member.
  ///   - domain: a description of the allowed values; nil to list all members.
  public init(
    _ key: String, _ path: WritableKeyPath<Group, String> & Sendable, kind: String, among names: [String],
    orAfter prefix: String? = nil, unknown: (@Sendable (String) -> InputError)? = nil, domain: String? = nil,
    _ help: String
  ) {
    self.init(
      key: key, path: path, help: help, domain: domain ?? names.joined(separator: ", "), choices: names,
      isSwitch: false,
      text: { $0[keyPath: path] },
      set: { group, text in
        guard names.contains(text) || prefix.map(text.hasPrefix) ?? false else {
          throw unknown?(text) ?? InputError.unknown(kind, text, known: names)
        }
        group[keyPath: path] = text
      })
  }

  /// One of the cases of an enumeration.
  public init<Value: ChoiceSetting>(_ key: String, _ path: WritableKeyPath<Group, Value> & Sendable, _ help: String) {
    let choices = Value.allCases.map(\.text)
    self.init(key, path, domain: choices.joined(separator: ", "), choices: choices, help) { _ in true }
  }

  private init<Value: SettingValue>(
    _ key: String, _ path: WritableKeyPath<Group, Value> & Sendable, domain: String, choices: [String] = [],
    _ help: String, accepts: @escaping @Sendable (Value) -> Bool
  ) {
    let allowed = choices.isEmpty ? domain : alternatives(choices)
    self.init(
      key: key, path: path, help: help, domain: domain, choices: choices, isSwitch: Value.self == Bool.self,
      text: { $0[keyPath: path].text },
      set: { group, text in
        guard let value = Value(text: text), accepts(value) else {
          throw InputError("--\(key) takes \(allowed), not '\(text)'")
        }
        group[keyPath: path] = value
      })
  }

  private init(
    key: String, path: PartialKeyPath<Group> & Sendable, help: String, domain: String, choices: [String],
    isSwitch: Bool,
    text: @escaping @Sendable (Group) -> String,
    set: @escaping @Sendable (inout Group, String) throws -> Void
  ) {
    self.key = key
    self.path = path
    self.help = help
    self.domain = domain
    self.choices = choices
    self.isSwitch = isSwitch
    self.text = text
    self.set = set
  }
}

/// The seed as a setting, in the same section as the settings of `Work`.
public struct SeedChoice<Work: SettingsGroup>: SettingsGroup, Hashable {
  public var seed: UInt64 = 0

  public init() {}
  public init(_ seed: Seed) { self.seed = seed.value }

  public static var title: String { Work.title }
  public static var fields: [Field<Self>] {
    [Field("seed", \.seed, 0...UInt64.max, "seed of all random numbers")]
  }
}

extension SettingsGroup {
  public var title: String { Self.title }

  /// Returns the key of the setting that a property stores. Stops with a fatal error if the property is not a setting.
  public static func key(of path: PartialKeyPath<Self>) -> String {
    guard let field = fields.first(where: { $0.path == path }) else { fatalError("\(path) is not a setting") }
    return field.key
  }

  /// Returns the keys of the settings with one of these effects, in the order of their declaration.
  public static func keys(changing effects: SettingEffect...) -> [String] {
    fields.filter { $0.effect.map(effects.contains) ?? false }.map(\.key)
  }

  /// The settings that older versions did not have, with the values as which these behaved.
  public static var addedLater: [String: String] {
    let group = Self()
    let added = fields.filter(\.isAddedLater).map { ($0.key, $0.text(group)) }
    return Dictionary(uniqueKeysWithValues: added)
  }

  /// Sets one value by its key.
  public mutating func set(_ key: String, to text: String) throws {
    guard let field = Self.fields.first(where: { $0.key == key }) else {
      throw InputError.unknown("setting", key, known: Self.fields.map(\.key))
    }
    try field.set(&self, text)
  }

  /// All settings as written on the command line, in the order of their declaration.
  public var record: [(key: String, text: String)] { Self.fields.map { ($0.key, $0.text(self)) } }
}

/// A type whose values can be parsed from and written as text.
public protocol SettingValue: Sendable {
  init?(text: String)
  var text: String { get }
}

/// A number with an allowed range.
public protocol NumericSetting: SettingValue, Comparable {
  static func domain(_ range: ClosedRange<Self>) -> String
}

/// An enumeration whose cases are the choices.
public protocol ChoiceSetting: SettingValue, CaseIterable, Codable, RawRepresentable where RawValue == String {}

extension ChoiceSetting {
  public init?(text: String) { self.init(rawValue: text) }
  public var text: String { rawValue }
}

extension FixedWidthInteger {
  /// Parses `100000`, or `1e5` and `2.5e4` if the value is an integer.
  fileprivate init?(decimal text: String) {
    if let number = Self(text) {
      self = number
      return
    }
    // `Double` also accepts "inf" and "0x1p3", which are rejected here.
    guard text.utf8.contains(where: "eE".utf8.contains),
      text.utf8.allSatisfy({ (0x30...0x39).contains($0) || "+-.eE".utf8.contains($0) }),
      let value = Double(text), abs(value) <= 0x1p53
    else { return nil }
    self.init(exactly: value)
  }
}

extension Int: NumericSetting {
  public init?(text: String) { self.init(decimal: text) }
  public var text: String { String(self) }
  public static func domain(_ range: ClosedRange<Int>) -> String {
    range.upperBound == .max
      ? "a whole number of at least \(range.lowerBound)"
      : "a whole number from \(range.lowerBound) to \(range.upperBound)"
  }
}

extension UInt64: NumericSetting {
  public init?(text: String) { self.init(decimal: text) }
  public var text: String { String(self) }
  public static func domain(_ range: ClosedRange<UInt64>) -> String {
    range.upperBound == .max
      ? "a whole number of at least \(range.lowerBound)"
      : "a whole number from \(range.lowerBound) to \(range.upperBound)"
  }
}

extension Double: NumericSetting {
  public init?(text: String) {
    guard let value = Double(text), value.isFinite else { return nil }
    self = value
  }
  public var text: String {
    self == rounded() && abs(self) < 1e15 ? String(Int(self)) : String(self)
  }
  public static func domain(_ range: ClosedRange<Double>) -> String {
    range.upperBound == .greatestFiniteMagnitude
      ? "a number of at least \(range.lowerBound.text)"
      : "a number from \(range.lowerBound.text) to \(range.upperBound.text)"
  }
}

extension Bool: SettingValue {
  public init?(text: String) {
    switch text.lowercased() {
    case "true", "yes", "on", "1": self = true
    case "false", "no", "off", "0": self = false
    default: return nil
    }
  }
  public var text: String { self ? "true" : "false" }
}

extension String: SettingValue {
  public init?(text: String) { self = text }
  public var text: String { self }
}

extension [Int]: SettingValue {
  /// Parses `1000,2000`; `none` is the empty list.
  public init?(text: String) {
    guard text != "none" else {
      self = []
      return
    }
    let numbers = text.split(separator: ",", omittingEmptySubsequences: false).map { Int(text: String($0)) }
    guard !numbers.contains(nil) else { return nil }
    self = numbers.compactMap { $0 }
  }
  public var text: String { isEmpty ? "none" : map(\.text).joined(separator: ",") }
}
