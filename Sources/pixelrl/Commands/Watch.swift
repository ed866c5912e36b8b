import ArgumentParser
import Core
import Dispatch
import Foundation
import Reports
import Runs
import Synchronization

/// `pixelrl watch`
struct Watch: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Serve the report of a run to a browser on this machine, with live updates while it is running.",
    discussion: """
      For several runs, or a folder of runs, the first page shows the progress of each run and its estimated end:

        pixelrl watch runs/20260131-235959-train-catch-double-dqn-s0
        pixelrl watch runs
      """)

  @Argument(
    help: ArgumentHelp("run directories, or folders of runs", valueName: "run"), completion: .runs)
  var paths: [String]

  @Option(parsing: .unconditional, help: ArgumentHelp("the port to listen on; 0 chooses a free one", valueName: "n"))
  var port: UInt16 = 8080

  @Option(help: ArgumentHelp("the address to listen on", valueName: "address"))
  var host = "127.0.0.1"

  @Flag(help: "also serve other machines, without a password and without encryption")
  var allowOthers = false

  @Option(
    name: .customLong("refresh"), parsing: .unconditional,
    help: ArgumentHelp("seconds between updates of the page (default: 5)", valueName: "n"), transform: wholeNumber)
  var refresh = 5

  func run() throws {
    guard (1...3600).contains(refresh) else {
      throw InputError("--refresh takes a whole number from 1 to 3600, not '\(refresh)'")
    }
    let rule = try HostRule(host)
    guard rule.isLoopback || allowOthers else {
      throw InputError(
        "--host \(host) would let every machine that reaches this one read the run, its settings and facts about this "
          + "machine, without a password and without encryption: add --allow-others if you want this, or keep 127.0.0.1 "
          + "and connect with 'ssh -L \(port):127.0.0.1:\(port) THIS-MACHINE'")
    }
    let server = try RunServer(try site(rule), port: port)
    // Requests in progress are still answered.
    Interruption.listen { Task { await server.stop() } }
    let names = paths.joined(separator: ", ")
    try waiting {
      try await server.run { url in try printLine("serving \(names) at \(url) (press Ctrl-C to stop)") }
    }
  }

  /// The site of a single run, or of all runs at the given paths.
  private func site(_ rule: HostRule) throws -> any Site {
    guard paths.count == 1, exists("\(paths[0])/run.json") else {
      return try FolderSite(of: paths, hosts: rule, refreshEvery: refresh)
    }
    return try RunSite(of: paths[0], hosts: rule, refreshEvery: refresh)
  }
}

/// Runs asynchronous work and blocks the current thread until it has finished.
func waiting(for work: @escaping @Sendable () async throws -> Void) throws {
  let done = DispatchSemaphore(value: 0)
  let failure = ErrorBox()
  Task.detached {
    do { try await work() } catch { failure.error.withLock { $0 = error } }
    done.signal()
  }
  done.wait()
  if let error = failure.error.withLock({ $0 }) { throw error }
}

/// Passes an error to the thread that throws it.
private final class ErrorBox: Sendable {
  let error = Mutex<(any Error)?>(nil)
}
