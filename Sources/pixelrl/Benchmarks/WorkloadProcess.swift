import Core
import Foundation

/// A process that measures a workload when told to, in lines of text: ours (`Workloads`) or a peer's script.
final class WorkloadProcess {
  let label: String
  /// Floating-point operations of an iteration; 0 where they do not matter.
  private(set) var operations = 0.0
  private let process: SpawnedProcess
  private let command: String
  private let input = Pipe()
  private let output = Pipe()
  private var unread = Data()

  /// What a process has to say in the end.
  struct Totals {
    /// Blocks of memory asked from the C library, an iteration.
    var allocations: Double
    /// Blocks of tensors that were not lent again, an iteration.
    var freshBlocks: Double
    /// The most memory that the process has held, in MB.
    var peakMegabytes: Double
  }

  /// Starts the process and waits until its workload stands.
  init(_ label: String, _ program: String, _ arguments: [String], threads: Int) throws {
    self.label = label
    command = ([program] + arguments).joined(separator: " ")
    // What oneDNN's, PyTorch's and Mesa's thread pools read at their start; Mesa counts those beside the caller's own.
    process = try SpawnedProcess(
      [program] + arguments,
      environment: [
        "OMP_NUM_THREADS": "\(threads)", "MKL_NUM_THREADS": "\(threads)", "LP_NUM_THREADS": "\(threads - 1)",
      ],
      files: [
        input.fileHandleForReading.fileDescriptor, output.fileHandleForWriting.fileDescriptor, STDERR_FILENO,
      ])
    // The ends that are the process's now: one that has died is noticed at the other.
    try? input.fileHandleForReading.close()
    try? output.fileHandleForWriting.close()
    operations = try numbers(after: "ready", count: 1)[0]
  }

  /// Milliseconds of an iteration, the mean of `count`.
  func run(_ count: Int) throws -> Double {
    try say("run \(count)")
    return try numbers(after: "time", count: 1)[0]
  }

  func end() throws -> Totals {
    try say("end")
    let values = try numbers(after: "end", count: 3)
    _ = process.wait()
    return Totals(allocations: values[0], freshBlocks: values[1], peakMegabytes: values[2] / 1024)
  }

  /// Ends a process whose benchmark is off.
  func abandon() { process.end() }

  private func say(_ line: String) throws {
    do { try input.fileHandleForWriting.write(contentsOf: Data((line + "\n").utf8)) } catch { throw failure }
  }

  private func numbers(after word: String, count: Int) throws -> [Double] {
    let words = try line().split(separator: " ")
    let values = words.dropFirst().compactMap { Double($0) }
    guard words.first == Substring(word), values.count == count else { throw failure }
    return values
  }

  private func line() throws -> String {
    while true {
      if let end = unread.firstIndex(of: UInt8(ascii: "\n")) {
        let line = String(decoding: unread[..<end], as: UTF8.self)
        unread = Data(unread[(end + 1)...])
        return line
      }
      let more = output.fileHandleForReading.availableData
      guard !more.isEmpty else { throw failure }
      unread += more
    }
  }

  private var failure: WorldError { WorldError("\(label) ended early: \(command)") }
}
