import Core
import Formats
import Foundation
import Runs

/// A temporary folder of made-up runs, which is removed after `body` returns.
struct RunFolder {
  let root: String

  static func with(_ body: (RunFolder) throws -> Void) throws {
    let root = FileManager.default.temporaryDirectory.appendingPathComponent("reports-\(UUID())").path
    try makeFolder(root)
    defer { try? FileManager.default.removeItem(atPath: root) }
    try body(RunFolder(root: root))
  }

  /// Makes a run with an evaluation every 1000 steps.
  ///
  /// - Parameters:
  ///   - returns: The returns of the evaluations. If empty, there are no metrics and no summary.
  ///   - files: Additional files by name, which replace the run's own files with the same name.
  @discardableResult
  func run(
    _ name: String, environment: String = "catch", member: String = "double-dqn", seed: Int = 0, why: String = "",
    returns: [Double] = [], settings: String = "agent:\n  hidden: 256\n", files: [String: String] = [:]
  ) throws -> RunDirectory {
    let folder = "\(root)/\(name)"
    try makeFolder(folder)
    let facts: JSON = [
      "command": "train", "environment": .string(environment), "member": .string(member), "seed": .string("\(seed)"),
      "why": .string(why), "command_line": ["pixelrl", "train"], "version": "0", "began": 1_700_000_000_000_000_000,
    ]
    var texts = ["run.json": facts.indented, "settings.yaml": settings]
    if !returns.isEmpty {
      texts["metrics.jsonl"] = returns.enumerated().map { index, value in
        #"{"step":\#(index * 1000),"evaluation/return":\#(value),"evaluation/deviation":1}"# + "\n"
      }.joined()
      let mean = returns.suffix(3).reduce(0, +) / Double(returns.suffix(3).count)
      texts["summary.json"] = JSON.object([.init("return_mean", .number(mean))]).indented
    }
    for (name, text) in texts.merging(files, uniquingKeysWith: { $1 }) {
      try writeAtomically(Array(text.utf8), to: "\(folder)/\(name)")
    }
    return try RunDirectory(existing: folder)
  }
}
