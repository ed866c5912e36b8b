import Core
import Foundation

/// Another process that keeps a core busy while a workload is measured: `--beside spin` is an endless loop, `--beside
/// same` the same workload. Between the measurements it is stopped, so that it does not disturb the other side.
final class Company {
  private let process = Process()
  private let input = Pipe()

  /// Nil without `--beside`.
  static func joining(_ arguments: Arguments) throws -> Company? {
    switch arguments.text("beside") {
    case nil: return nil
    case "spin": return try Company(["spin"])
    case "same":
      var words = Array(CommandLine.arguments.dropFirst())
      if let at = words.firstIndex(of: "--beside") { words.removeSubrange(at..<at + 2) }
      return try Company(words)
    case let other?: throw InputError.unknown("company", other, known: ["spin", "same"])
    }
  }

  private init(_ words: [String]) throws {
    process.executableURL = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath()
    process.arguments = words + ["--company", "\(getpid())"]
    process.standardInput = input
    process.standardOutput = FileHandle.nullDevice
    try process.run()
    try input.fileHandleForWriting.write(contentsOf: Data("run 1000000000\n".utf8))
    Thread.sleep(forTimeInterval: 0.5)  // until it is past its own preparation
    pause()
  }

  func resume() { kill(process.processIdentifier, SIGCONT) }
  func pause() { kill(process.processIdentifier, SIGSTOP) }

  deinit { if process.isRunning { kill(process.processIdentifier, SIGKILL) } }
}

/// An endless loop in the form of a workload.
func endlessLoop(_ arguments: Arguments) throws -> Workload {
  var random = Seed(1).stream("loop")
  return Workload { for _ in 0..<1_000_000 { _ = random.normal() } }
}
