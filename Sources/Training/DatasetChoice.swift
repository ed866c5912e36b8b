import Core
import Formats
import Representations
import Runs

/// What an autoencoder is trained on, as a setting.
public struct DatasetChoice: SettingsGroup, Hashable {
  /// A dataset's folder; empty: frames are collected.
  public var dataset = ""

  public init() {}
  public static let title = "pretraining"
  public static var fields: [Field<Self>] {
    [Field("dataset", \.dataset, "a dataset of 'pixelrl collect' to train on; none: frames are collected")]
  }
}

extension PretrainingSettings {
  /// The settings that a pretraining recorded in its run's folder.
  public init(ofRunIn folder: String) throws {
    self.init()
    try SettingsFile(path: "\(folder)/settings.yaml").apply(to: &self)
  }
}
