import Foundation
import Testing

/// The Python that the environment variable `PIXELRL_PYTHON` names, to read our files with others' readers.
enum Python {
  static let path = variable("PIXELRL_PYTHON")

  /// A variable of the environment.
  static func variable(_ name: String) -> String? { ProcessInfo.processInfo.environment[name] }

  /// Whether it can import all of these packages.
  static func has(_ packages: String...) -> Bool {
    let imports = packages.map { "import \($0)" }.joined(separator: "\n")
    return path != nil && (try? run(imports, isQuiet: true)) != nil
  }

  /// What a script prints. Throws where it fails.
  static func run(_ script: String, _ arguments: [String] = [], isQuiet: Bool = false) throws -> String {
    try Conversation(script, arguments, isQuiet: isQuiet).finish()
  }

  /// A script that runs while a test goes on.
  struct Conversation {
    private let process = Process()
    private let input = Pipe()
    private let output = Pipe()

    init(_ script: String, _ arguments: [String], isQuiet: Bool = true) throws {
      process.executableURL = URL(fileURLWithPath: try #require(path))
      process.arguments = ["-c", script] + arguments
      (process.standardInput, process.standardOutput) = (input, output)
      if isQuiet { process.standardError = FileHandle.nullDevice }
      try process.run()
    }

    /// The next line that it prints.
    func line() throws -> String {
      var bytes = Data()
      while let byte = try output.fileHandleForReading.read(upToCount: 1), byte != Data("\n".utf8) { bytes += byte }
      return String(decoding: bytes, as: UTF8.self)
    }

    /// Sends a last text and returns all that it prints from then on. Throws where it fails.
    func finish(saying text: String = "") throws -> String {
      try input.fileHandleForWriting.write(contentsOf: Data(text.utf8))
      try input.fileHandleForWriting.close()
      let text = String(decoding: try output.fileHandleForReading.readToEnd() ?? Data(), as: UTF8.self)
      process.waitUntilExit()
      try #require(process.terminationStatus == 0, "\(text)")
      return text
    }
  }
}
