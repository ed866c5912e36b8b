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
    abstract: "Serve the report of a run to a browser of this machine, live while the run goes on.",
    discussion: """
      Of several runs, or a folder that runs lie in, the first page says where each stands and when it will have ended:

        pixelrl watch runs/20260131-235959-train-catch-double-dqn-s0
        pixelrl watch runs
      """)

  @Argument(
    help: ArgumentHelp("the folder of a run, or folders that runs lie in", valueName: "run"), completion: .directory)
  var places: [String]

  @Option(parsing: .unconditional, help: ArgumentHelp("the port to listen at; 0 takes a free one", valueName: "n"))
  var port: UInt16 = 8080

  @Option(help: ArgumentHelp("the address to listen at", valueName: "address"))
  var host = "127.0.0.1"

  @Flag(help: "let other machines read the run too: there is no password and no encryption")
  var allowOthers = false

  @Option(
    name: .customLong("refresh"), parsing: .unconditional,
    help: ArgumentHelp("seconds after which the page renews itself", valueName: "n"), transform: wholeNumber)
  var refresh = 5

  func run() throws {
    guard (1...3600).contains(refresh) else {
      throw InputError("--refresh takes a whole number from 1 to 3600, not '\(refresh)'")
    }
    let rule = try HostRule(host)
    guard rule.isLoopback || allowOthers else {
      throw InputError(
        "--host \(host) would let every machine that reaches this one read the run, its settings and the facts of this "
          + "machine, without password and encryption: give --allow-others if that is meant, or stay with 127.0.0.1 and "
          + "come through 'ssh -L \(port):127.0.0.1:\(port) THIS-MACHINE'")
    }
    let server = try RunServer(try site(rule), port: port)
    // Answers that are under way still go out.
    Interruption.listen { Task { await server.stop() } }
    let (names, verb) = (places.joined(separator: ", "), places.count == 1 ? "is" : "are")
    try waiting {
      try await server.run { url in try printLine("\(names) \(verb) shown at \(url) (Ctrl-C ends this)") }
    }
  }

  /// That of the run itself, or of all runs that there are.
  private func site(_ rule: HostRule) throws -> any Site {
    guard places.count == 1, exists("\(places[0])/run.json") else {
      return try FolderSite(of: places, hosts: rule, refreshEvery: refresh)
    }
    return try RunSite(of: places[0], hosts: rule, refreshEvery: refresh)
  }
}

/// Waits on the present thread for what takes its time on others.
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

/// Where an error waits for the thread that throws it.
private final class ErrorBox: Sendable {
  let error = Mutex<(any Error)?>(nil)
}
