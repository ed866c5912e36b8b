import ArgumentParser
import Core
import Runs

/// `pixelrl gymnasium`
struct GymnasiumModule: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "gymnasium", abstract: "Write a Python module that registers these environments with Gymnasium.",
    discussion: """
      After 'import pixelrl_gymnasium', gymnasium.make("pixelrl/cartpole-swingup-v0") creates an environment that runs \
      in a pixelrl process. The module's docstring describes its use.
      """)

  @Option(
    help: ArgumentHelp("the existing folder to write pixelrl_gymnasium.py into (default: print it)", valueName: "dir"),
    completion: .directory)
  var write: String?

  func run() throws {
    let text = PackageResources.pixelrl_gymnasium_py
    guard let write else { return try printLine(String(decoding: text.dropLast(), as: UTF8.self)) }
    let path = "\(write)/pixelrl_gymnasium.py"
    // An existing file is not overwritten, because it may have been edited.
    if exists(path) {
      guard try readBytes(from: path) == text else {
        throw InputError("\(path) exists with other contents: use another folder with --write, or move the file")
      }
    } else {
      try writeAtomically(text, to: path)
    }
    try printLine(path)
  }
}
