import Core
import Formats
import Foundation
import Runs

/// A dataset of pixelrl, in the format of another library.
public struct DatasetExport: Sendable {
  public let dataset: FrameDataset
  public let library: PythonLibrary
  public let actionSpace: ActionSpace
  public let stateNames: [String]
  /// Frames per second: LeRobot places frames in time.
  public var framesPerSecond = 25

  public init(_ dataset: FrameDataset, to library: PythonLibrary, _ actionSpace: ActionSpace, stateNames: [String]) {
    (self.dataset, self.library, self.actionSpace, self.stateNames) = (dataset, library, actionSpace, stateNames)
  }

  /// Writes the dataset into a new folder, with the library itself.
  ///
  /// - Throws: `InputError` if the folder exists, or its name is not one for a dataset of the library; `WorldError` if
  ///   the library is missing or fails. Then there is no new folder.
  public func write(to folder: String) throws {
    var folder = folder
    while folder.count > 1, folder.hasSuffix("/") { folder.removeLast() }
    let name = split(folder).name
    if library == .minari, name.wholeMatch(of: /[A-Za-z0-9_-]+-v[0-9]+/) == nil {
      throw InputError(
        "the name of a Minari dataset ends with its version, such as \(name.isEmpty ? "cartpole" : name)-v0")
    }
    guard actionSpace.arrayCount > 0 else {
      throw InputError("\(dataset.path) has no actions, which a dataset of \(library.title) needs")
    }
    // The library makes the folder itself.
    let new = try NewFolder(at: folder)
    let made = "\(new.path)/\(name)"
    try library.run(["write", dataset.path, made], input: facts.description)
    for entry in try folderEntries(made) {
      try FileManager.default.moveItem(atPath: "\(made)/\(entry)", toPath: "\(new.path)/\(entry)")
    }
    try FileManager.default.removeItem(atPath: made)
    try new.commit()
  }

  private var facts: JSON {
    let manifest = dataset.manifest
    let settings = manifest.settings.map(\.flag).joined(separator: " ")
    return [
      "actions": actionSpace.json, "states": .array(stateNames.map(JSON.string)), "fps": .integer(framesPerSecond),
      "policy": .string(manifest.policy),
      "description": .string("\(manifest.environment) (pixelrl collect --env \(manifest.environment) \(settings))"),
    ]
  }
}
