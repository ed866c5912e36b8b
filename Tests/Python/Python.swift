import Foundation

/// The Python that reads our files with others' readers: what `PIXELRL_PYTHON` names, or `python3` on the path.
public enum Python {
  /// Whether it can import all of these packages.
  public static func has(_ packages: String...) -> Bool {
    (try? run(packages.map { "import \($0)" }.joined(separator: "\n"))) != nil
  }

  /// Whether a package is installed, which it may be without all that it imports.
  public static func finds(_ package: String) -> Bool {
    (try? run("import importlib.util, sys\nsys.exit(importlib.util.find_spec('\(package)') is None)")) != nil
  }

  /// What a script prints. Throws what it says where it fails.
  public static func run(_ script: String, _ arguments: [String] = []) throws -> String {
    try Conversation(script, arguments).finish()
  }

  /// A variable of the environment.
  public static func variable(_ name: String) -> String? { ProcessInfo.processInfo.environment[name] }

  /// A script that failed: what it printed, and its errors.
  public struct Failure: Error {
    public let output: String
    public let errors: String
  }

  /// A script that runs while a test goes on.
  public struct Conversation {
    private let process = Process()
    private let input = Pipe()
    private let output = Pipe()
    private let errorFile: URL

    public init(_ script: String, _ arguments: [String]) throws {
      errorFile = FileManager.default.temporaryDirectory.appendingPathComponent("python-\(UUID().uuidString)")
      try Data().write(to: errorFile)
      process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
      process.arguments = [Python.variable("PIXELRL_PYTHON") ?? "python3", "-c", script] + arguments
      process.standardInput = input
      process.standardOutput = output
      // A file takes any number of warnings; a pipe that nobody empties would stop the script.
      process.standardError = try FileHandle(forWritingTo: errorFile)
      try process.run()
    }

    /// The next line that it prints.
    public func line() throws -> String {
      var bytes = Data()
      while let byte = try output.fileHandleForReading.read(upToCount: 1), byte != Data("\n".utf8) { bytes += byte }
      return String(decoding: bytes, as: UTF8.self)
    }

    /// Sends a last text and returns all that it prints from then on. Throws what it says where it fails.
    public func finish(saying text: String = "") throws -> String {
      defer { try? FileManager.default.removeItem(at: errorFile) }
      if !text.isEmpty { try input.fileHandleForWriting.write(contentsOf: Data(text.utf8)) }
      try input.fileHandleForWriting.close()
      let text = String(decoding: try output.fileHandleForReading.readToEnd() ?? Data(), as: UTF8.self)
      process.waitUntilExit()
      guard process.terminationStatus == 0 else {
        throw Failure(output: text, errors: String(decoding: try Data(contentsOf: errorFile), as: UTF8.self))
      }
      return text
    }
  }
}
