import Core
import Formats

/// A setting whose value differs from that recorded in a run.
public struct SettingsDifference: Sendable, Hashable {
  public let key: String
  public let recorded: String
  public let given: String
}

extension SettingsGroup {
  /// Returns the differences from a file's settings. A setting that the file lacks has its default.
  func differences(from file: SettingsFile) throws -> [SettingsDifference] {
    var recorded = Self()
    try file.apply(to: &recorded)
    return zip(recorded.record, record).compactMap { recorded, given in
      recorded.text == given.text
        ? nil : SettingsDifference(key: given.key, recorded: recorded.text, given: given.text)
    }
  }
}
