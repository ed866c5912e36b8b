import ArgumentParser
import Core
import Formats
import Foundation
import Runs

/// `pixelrl bench`
struct Bench: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Measure the speed of pixelrl's parts beside their peers: PyTorch, JAX, Gymnasium, NumPy and Pillow.",
    discussion: """
      pixelrl and its peers take turns in each round. "of sgemm" is the rate of floating-point operations for each \
      thread, relative to that of 1024x1024 matrix products with one thread in the same rounds. "allocations" is the number of memory blocks that an \
      iteration allocates, in parentheses those for tensors. "peak" is the peak memory of a process.
      """)

  @Option(
    help: ArgumentHelp(
      "the benchmarks to run, separated by commas, such as sac,encoder (default: all)", valueName: "names"))
  var only: String?

  @Option(
    help: ArgumentHelp(
      "a Python with the peers' packages, such as .venv/bin/python after 'make peers' (default: $PIXELRL_PEER_PYTHON, "
        + "else python3)", valueName: "path"))
  var python: String?

  @Option(help: ArgumentHelp("the folder of the peers' scripts", valueName: "dir"))
  var peers = "experiments/peers"

  @Option(
    help: ArgumentHelp("threads of each process, unless a benchmark sets its own (default: 2)", valueName: "n"),
    transform: wholeNumber)
  var threads = 2

  @Option(help: ArgumentHelp("the maximum number of rounds (default: 9)", valueName: "n"), transform: wholeNumber)
  var rounds = 9

  @Option(help: ArgumentHelp("a new folder for bench.txt and bench.json", valueName: "dir"))
  var out: String?

  @Flag(help: "print the results as JSON in the last line")
  var json = false

  func run() throws {
    guard threads > 0 else { throw InputError("--threads takes a whole number of at least 1, not '\(threads)'") }
    guard rounds > 0 else { throw InputError("--rounds takes a whole number of at least 1, not '\(rounds)'") }
    let picture = FileManager.default.temporaryDirectory.appendingPathComponent("pixelrl-bench-\(UUID()).png").path
    defer { _ = unsafe unlink(picture) }
    let benchmarks = try chosen(from: Benchmarks.all(threads: threads, picture: picture))
    let folder = try out.map { try NewFolder(at: $0) }
    let runner = BenchmarkRunner(workloads: try workloads(), python: try peerPython(), scripts: peers, rounds: rounds)
    var results: [BenchmarkResult] = []
    for benchmark in benchmarks {
      if !json { StandardStreams.say("\(benchmark.name) …") }
      results.append(try runner.hold(benchmark))
    }
    let lines = aligned([BenchReport.header] + results.flatMap(BenchReport.rows))
    for line in lines { try printLine(line) }
    let summary = JSON.object([.init("results", .array(results.map(BenchReport.json)))]).description
    if let folder {
      try writeAtomically(Array((lines.joined(separator: "\n") + "\n").utf8), to: folder.path + "/bench.txt")
      try writeAtomically(Array((summary + "\n").utf8), to: folder.path + "/bench.json")
      try folder.commit()
    }
    if json { try printLine(summary) }
  }

  private func chosen(from benchmarks: [Benchmark]) throws -> [Benchmark] {
    guard let only else { return benchmarks }
    var known: [String] = []
    for benchmark in benchmarks where !known.contains(benchmark.id) { known.append(benchmark.id) }
    let names = only.split(separator: ",").map(String.init)
    for name in names where !known.contains(name) { throw InputError.unknown("benchmark", name, known: known) }
    return benchmarks.filter { names.contains($0.id) }
  }

  /// The path of `Workloads`, which is built next to this program.
  private func workloads() throws -> String {
    let program = Bundle.main.executableURL ?? URL(fileURLWithPath: CommandLine.arguments[0])
    let path = program.resolvingSymlinksInPath().deletingLastPathComponent().appendingPathComponent("Workloads").path
    guard exists(path) else {
      throw WorldError(path: path, "does not exist: build it with 'swift build -c release --product Workloads'")
    }
    return path
  }

  /// Returns a Python with the peers' packages. If there is none, prints what to install and returns nil.
  private func peerPython() throws -> String? {
    let environment = ProcessInfo.processInfo.environment
    let found = (environment["PATH"] ?? "").split(separator: ":").map { "\($0)/python3" }.first(where: exists)
    guard let path = python ?? environment["PIXELRL_PEER_PYTHON"] ?? found else { return nil }
    let probe = [path, "-c", "import torch, jax, gymnasium, pygame, numpy, PIL"]
    if exists(path), try ChildProcess.run(probe, limit: .seconds(120)).status == 0 { return path }
    let advice =
      "install the peers (pip install torch jax 'gymnasium[classic-control]' numpy pillow) and give their Python with "
      + "--python"
    guard python == nil else { throw WorldError(path: path, "lacks packages of the peers: \(advice)") }
    StandardStreams.say("pixelrl: no peers to compare with: \(advice)")
    return nil
  }
}
