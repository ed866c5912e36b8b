import Core
import Formats

/// A setting that a run was made with in another way.
public struct SettingsDifference: Sendable, Hashable {
  public let key: String
  public let recorded: String
  public let given: String
}

extension SettingsGroup {
  /// What differs from a file's settings; what the file does not have counts as its default.
  func differences(from file: SettingsFile) throws -> [SettingsDifference] {
    var recorded = Self()
    try file.apply(to: &recorded)
    return zip(recorded.record, record).compactMap { recorded, given in
      recorded.text == given.text
        ? nil : SettingsDifference(key: given.key, recorded: recorded.text, given: given.text)
    }
  }
}
