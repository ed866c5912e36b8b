import Core
import Formats
import Runs

/// A Python library whose datasets are read and written with that library itself, in the user's Python.
public enum PythonLibrary: String, CaseIterable, Sendable {
  case minari
  case lerobot

  /// The name in sentences.
  public var title: String {
    switch self {
    case .minari: "Minari"
    case .lerobot: "LeRobot"
    }
  }

  /// What `pip install` takes.
  private var package: String {
    switch self {
    case .minari: "'minari[hdf5,hf]' pillow"
    case .lerobot: "lerobot"
    }
  }

  private var script: [UInt8] {
    switch self {
    case .minari: PackageResources.pixelrl_minari_py
    case .lerobot: PackageResources.pixelrl_lerobot_py
    }
  }

  /// Splits `minari:NAME` into the library and the name; nil if the path does not begin with the name of a library.
  static func named(in path: String) -> (library: PythonLibrary, name: String)? {
    guard let colon = path.firstIndex(of: ":"), let library = PythonLibrary(rawValue: String(path[..<colon])) else {
      return nil
    }
    return (library, String(path[path.index(after: colon)...]))
  }

  /// Runs the library's script to its end.
  ///
  /// - Parameter input: its standard input.
  /// - Throws: `WorldError` with the last line of its messages.
  func run(_ words: [String], input: String = "") throws {
    let input = try Descriptor.memory(holding: Array(input.utf8))
    let messages = try Descriptor.memory()
    let process: SpawnedProcess
    do {
      process = try SpawnedProcess(
        [pythonProgram, "-c", String(decoding: script, as: UTF8.self)] + words,
        environment: ["PYTHONWARNINGS": "ignore", "HF_HUB_DISABLE_PROGRESS_BARS": "1"],
        files: [input.number, nil, messages.number])
    } catch {
      throw WorldError(
        "datasets of \(title) are read and written by Python, which was not found: install it, or set PIXELRL_PYTHON to "
          + "its path")
    }
    while process.wait(limit: .milliseconds(200)) == nil { try Interruption.check() }
    guard process.exitStatus != 0 else { return }
    let message = messages.lastLine()
    if message.hasPrefix("ModuleNotFoundError") {
      throw WorldError(
        "\(pythonProgram) cannot use \(title) (\(message)): run '\(pythonProgram) -m pip install \(package)', or set "
          + "PIXELRL_PYTHON to a Python that has it")
    }
    throw WorldError("\(title): \(message.isEmpty ? "Python ended early" : message)")
  }
}
