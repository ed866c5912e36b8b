import Core
import Formats
import Runs

/// The episodes of a dataset that only its own Python library can read. That library first saves them as `.npz` files,
/// which are removed afterwards.
struct PythonDataset: PictureSource {
  private let library: PythonLibrary
  private let folder: TemporaryFolder
  private let files: ArrayFiles
  private let episodes: Int
  let actionSpace: ActionSpace?

  /// - Parameters:
  ///   - name: a name that the library knows or downloads, or the path of a dataset's folder.
  ///   - keys: the name of the frames, if there are several.
  /// - Throws: `InputError` if other arrays are named, `WorldError` if the library is missing or cannot read the dataset.
  init(_ library: PythonLibrary, _ name: String, _ keys: ArrayKeys) throws {
    guard !name.isEmpty else {
      throw InputError("\(library.rawValue): give the name of a dataset, or the path of its folder, after the colon")
    }
    var others = keys
    others.frames = nil
    guard others == ArrayKeys() else {
      throw InputError(
        "a dataset of \(library.title) has its own actions, rewards and ends: leave out the flags that name arrays, except "
          + "--frames-key")
    }
    let folder = try TemporaryFolder("pixelrl-import")
    try library.run(["read", name, folder.path] + (keys.frames.map { [$0] } ?? []))
    let paths = try folderEntries(folder.path).filter { $0.hasSuffix(".npz") }.map { "\(folder.path)/\($0)" }
    guard !paths.isEmpty else { throw WorldError("\(library.title): the dataset \(name) has no episodes") }
    let files = try ArrayFiles(paths, ArrayKeys())
    actionSpace = try Self.space("\(folder.path)/actions.json") ?? files.actionSpace
    (self.library, self.folder, self.files, episodes) = (library, folder, files, paths.count)
  }

  var title: String { "\(counted(episodes, "episode")) of a \(library.title) dataset" }
  var count: Int? { files.count }
  var isGray: Bool { files.isGray }

  func read(_ body: (SourcePicture) throws -> Void) throws -> String? { try files.read(body) }

  /// The space of the actions; nil if it has no finite bounds.
  private static func space(_ path: String) throws -> ActionSpace? {
    let space = ActionSpace(try JSON(parsing: readBytes(from: path)))
    return space == .empty ? nil : space
  }
}
