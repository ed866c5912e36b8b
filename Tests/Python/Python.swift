import Foundation

/// Runs Python scripts, for tests that read our files with other libraries. The interpreter is `PIXELRL_PYTHON`, or
/// `python3` in `PATH`.
public enum Python {
  /// Returns whether all of these packages can be imported.
  public static func has(_ packages: String...) -> Bool {
    (try? run(packages.map { "import \($0)" }.joined(separator: "\n"))) != nil
  }

  /// Returns whether a package is installed. Its dependencies may be missing.
  public static func finds(_ package: String) -> Bool {
    (try? run("import importlib.util, sys\nsys.exit(importlib.util.find_spec('\(package)') is None)")) != nil
  }

  /// Runs a script and returns its output.
  ///
  /// - Throws: `Failure` with the output and the errors if the script fails.
  public static func run(_ script: String, _ arguments: [String] = []) throws -> String {
    try Conversation(script, arguments).finish()
  }

  /// Returns an environment variable.
  public static func variable(_ name: String) -> String? { ProcessInfo.processInfo.environment[name] }

  /// The output and errors of a script that failed.
  public struct Failure: Error {
    public let output: String
    public let errors: String
  }

  /// A script that runs while a test communicates with it.
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
      // Errors go to a file, because the script would block on a full pipe.
      process.standardError = try FileHandle(forWritingTo: errorFile)
      try process.run()
    }

    /// Reads the next line of output.
    public func line() throws -> String {
      var bytes = Data()
      while let byte = try output.fileHandleForReading.read(upToCount: 1), byte != Data("\n".utf8) { bytes += byte }
      return String(decoding: bytes, as: UTF8.self)
    }

    /// Sends a last text, closes the input and returns the remaining output.
    ///
    /// - Throws: `Failure` with the output and the errors if the script fails.
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
