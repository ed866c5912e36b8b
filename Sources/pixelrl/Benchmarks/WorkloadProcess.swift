import Core
import Foundation

/// A process that measures a workload on request over a line protocol: `Workloads` or a peer's script.
final class WorkloadProcess {
  let label: String
  /// Floating-point operations per iteration; 0 if the workload does not count them.
  private(set) var operations = 0.0
  private let process: SpawnedProcess
  private let command: String
  private let input = Pipe()
  private let output = Pipe()
  private var unread = Data()

  /// The totals that a process reports when it ends.
  struct Totals {
    /// Memory blocks allocated from the C library per iteration.
    var allocations: Double
    /// Tensor blocks per iteration that were newly allocated, not reused.
    var freshBlocks: Double
    /// The peak memory of the process, in MB.
    var peakMegabytes: Double
  }

  /// Starts the process and waits until its workload is ready.
  init(_ label: String, _ program: String, _ arguments: [String], threads: Int) throws {
    self.label = label
    command = ([program] + arguments).joined(separator: " ")
    // Read by the thread pools of oneDNN, PyTorch and Mesa when they start. Mesa does not count the calling thread.
    process = try SpawnedProcess(
      [program] + arguments,
      environment: [
        "OMP_NUM_THREADS": "\(threads)", "MKL_NUM_THREADS": "\(threads)", "LP_NUM_THREADS": "\(threads - 1)",
      ],
      files: [
        input.fileHandleForReading.fileDescriptor, output.fileHandleForWriting.fileDescriptor, STDERR_FILENO,
      ])
    // Close our copies of the process's ends of the pipes. Otherwise its death would not be noticed.
    try? input.fileHandleForReading.close()
    try? output.fileHandleForWriting.close()
    operations = try numbers(after: "ready", count: 1)[0]
  }

  /// Runs `count` iterations and returns the mean milliseconds per iteration.
  func run(_ count: Int) throws -> Double {
    try send("run \(count)")
    return try numbers(after: "time", count: 1)[0]
  }

  /// Ends the process and returns its totals.
  func end() throws -> Totals {
    try send("end")
    let values = try numbers(after: "end", count: 3)
    _ = process.wait()
    return Totals(allocations: values[0], freshBlocks: values[1], peakMegabytes: values[2] / 1024)
  }

  /// Ends the process if it still runs.
  func abandon() { process.end() }

  private func send(_ line: String) throws {
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
