import CAllocations
import Core
import Foundation
import Tensors

/// One side of a benchmark: sets up a workload, then measures it on request, so that both sides can take turns. The
/// peers in `experiments/peers` use the same protocol.
///
///     workloads sac --batch 256
///     < ready 755236864              required floating-point operations per iteration; 0 if they are not counted
///     > run 20
///     < time 4.31                    milliseconds per iteration, the mean of 20
///     > end
///     < end 0.5 0 81234              allocations and new tensor blocks per iteration (last run); peak memory in kB
///
/// `--threads N` sets the number of threads, `--beside spin` and `--beside same` measure beside another busy process.
@main
enum Workloads {
  static func main() throws {
    Threads.limitSpinning()
    let arguments = try Arguments(Array(CommandLine.arguments.dropFirst()))
    // A company ends with the process that it keeps busy.
    if let parent = arguments.text("company").flatMap({ Int32($0) }) { receive(SIGKILL, atEndOf: parent) }
    Threads.set(try arguments.integer("threads", default: Threads.count))
    let workload = try Workload.named(arguments.workload, arguments)
    let company = try Company.joining(arguments)
    say("ready \(workload.operations)")
    var (allocations, blocks) = (0.0, 0.0)
    // For a single thread, CPU time does not depend on other programs.
    let isProcessorTime = arguments.text("clock") == "processor"
    let now = isProcessorTime ? processorTime : { ProcessInfo.processInfo.systemUptime }
    while let line = readLine() {
      let words = line.split(separator: " ")
      if words.first == "end" { break }
      guard words.count == 2, words[0] == "run", let count = Int(words[1]), count > 0 else {
        throw InputError("unknown request '\(line)': use 'run N' or 'end'")
      }
      let (allocationsBefore, blocksBefore) = (allocation_count(), TensorMemory.allocations)
      company?.resume()
      let start = now()
      for _ in 0..<count { try workload.iteration() }
      let elapsed = now() - start
      company?.pause()
      allocations = Double(allocation_count() - allocationsBefore) / Double(count)
      blocks = Double(TensorMemory.allocations - blocksBefore) / Double(count)
      say("time \(1000 * elapsed / Double(count))")
    }
    say("end \(allocations) \(blocks) \(peakMemory())")
  }

  /// Returns the CPU time of this process in seconds.
  @Sendable private static func processorTime() -> Double {
    var time = timespec()
    unsafe clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
    return Double(time.tv_sec) + 1e-9 * Double(time.tv_nsec)
  }

  private static func say(_ line: String) { FileHandle.standardOutput.write(Data((line + "\n").utf8)) }

  /// Returns the peak memory of the process in kB, or 0 if it is unknown.
  private static func peakMemory() -> Int {
    guard let status = try? String(contentsOfFile: "/proc/self/status", encoding: .utf8) else { return 0 }
    let line = status.split(separator: "\n").first { $0.hasPrefix("VmHWM:") }
    return line.flatMap { Int($0.filter(\.isNumber)) } ?? 0
  }
}

/// The command line arguments: `WORKLOAD --name value …`.
struct Arguments {
  let workload: String
  private var values: [String: String] = [:]

  init(_ words: [String]) throws {
    guard let first = words.first, words.count % 2 == 1 else {
      throw InputError("usage: workloads WORKLOAD [--name value …]")
    }
    workload = first
    for i in stride(from: 1, to: words.count, by: 2) { values[String(words[i].drop { $0 == "-" })] = words[i + 1] }
  }

  func text(_ name: String) -> String? { values[name] }

  func integer(_ name: String, default fallback: Int) throws -> Int {
    guard let text = values[name] else { return fallback }
    guard let value = Int(text) else { throw InputError("--\(name) takes a whole number, not '\(text)'") }
    return value
  }
}

/// A workload that is set up and can be measured.
struct Workload {
  /// The required floating-point operations per iteration. 0 if they are not the bottleneck.
  var operations = 0
  var iteration: () throws -> Void

  typealias Setup = @Sendable (Arguments) throws -> Workload

  static let all: [String: Setup] = [
    "sgemm": squareProduct, "spin": endlessLoop, "sac": sacUpdate, "mrq": modelBasedUpdates, "encoder": encoderPasses,
    "decoder": decoderPasses,
    "encode": encodedFrame, "ae-step": autoencoderStep, "environment": renderedStep, "scene": drawnScene,
    "gym": gymnasiumSteps,
    "joint": jointUpdates,
    "replay": replaySample,
    "png": encodedPicture, "png-grid": encodedGrid,
  ]

  static func named(_ name: String, _ arguments: Arguments) throws -> Workload {
    guard let setup = all[name] else { throw InputError.unknown("workload", name, known: all.keys.sorted()) }
    return try setup(arguments)
  }
}
