import Core
import Formats
import Representations
import Runs

/// The setting that selects the dataset an autoencoder is trained on.
public struct DatasetChoice: SettingsGroup, Hashable {
  /// The dataset's folder. If empty, frames are collected.
  public var dataset = ""

  public init() {}
  public static let title = "pretraining"
  public static var fields: [Field<Self>] {
    [
      Field(
        "dataset", \.dataset, "dataset made by 'pixelrl collect' or 'pixelrl import' to train on; none: collect frames")
    ]
  }
}

extension PretrainingSettings {
  /// Reads the settings that a pretraining recorded in its run directory.
  public init(ofRunIn folder: String) throws {
    self.init()
    try SettingsFile(path: "\(folder)/settings.yaml").apply(to: &self)
  }
}
