import ArgumentParser
import Core
import Runs

/// `pixelrl gymnasium`
struct GymnasiumModule: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "gymnasium", abstract: "Write the Python module that gives Gymnasium these environments.",
    discussion: """
      After 'import pixelrl_gymnasium', gymnasium.make("pixelrl/cartpole-swingup-v0") plays one in a process of pixelrl. \
      The module says in its head how.
      """)

  @Option(
    help: ArgumentHelp("the folder that gets pixelrl_gymnasium.py; printed where none is given", valueName: "dir"),
    completion: .directory)
  var write: String?

  func run() throws {
    let text = PackageResources.pixelrl_gymnasium_py
    guard let write else { return try printLine(String(decoding: text.dropLast(), as: UTF8.self)) }
    let path = "\(write)/pixelrl_gymnasium.py"
    // Even an older one of ours may have been changed by hand.
    if exists(path) {
      guard try readBytes(from: path) == text else {
        throw InputError("\(path) exists and is another: give another folder with --write, or move the file away")
      }
    } else {
      try writeAtomically(text, to: path)
    }
    try printLine(path)
  }
}
