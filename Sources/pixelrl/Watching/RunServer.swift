import Core
import Dispatch
import FlyingFox
import FlyingSocks
import Foundation
import Runs
import Synchronization

/// Serves a site over HTTP until it is stopped.
///
/// The library's server has no limits. It therefore listens on a Unix socket in a private folder, and only a
/// `ConnectionGate` connects to it.
struct RunServer: Sendable {
  let site: any Site
  private let server: HTTPServer
  private let port: UInt16
  private let patience: Duration
  /// The private folder of the socket, which `run` removes when it ends.
  let folder: TemporaryFolder
  private var path: String { folder.path + "/http" }
  private let state = State()

  /// - Parameters:
  ///   - port: the port, or 0 for a free one.
  ///   - patience: the time limit of the head of a request, and of an idle connection.
  /// - Throws: `WorldError` if no temporary folder can be created.
  init(_ site: any Site, port: UInt16, patience: Duration = .seconds(10)) throws {
    self.site = site
    self.port = port
    self.patience = patience
    // The path of a socket has at most 107 bytes.
    folder = try TemporaryFolder("pixelrl-watch", in: NSTemporaryDirectory().utf8.count < 70 ? nil : "/tmp")
    server = HTTPServer(
      address: .unix(path: folder.path + "/http"), timeout: 60, pool: HTTPServer.defaultPool(), logger: .disabled,
      handler: Handler(site: site))
  }

  /// Serves until `stop`.
  ///
  /// - Parameter announce: called with the page's URL as soon as it can be requested.
  /// - Throws: `InputError` if the port is taken, `WorldError` if the address is not one of this machine.
  func run(announce: @escaping @Sendable (String) throws -> Void) async throws {
    defer { folder.remove() }
    let gate = try ConnectionGate(site.hosts, port: port, patience: patience)
    await state.open(gate)
    let announcement = Task {
      try await server.waitUntilListening(timeout: 30)
      gate.open(to: path)
      try announce("http://\(site.hosts.text):\(gate.port)/")
    }
    defer {
      announcement.cancel()
      gate.close()
    }
    while true {
      do { try await server.run() } catch {
        guard await !state.isStopping else { return }
        // The server ends if it gets no file descriptor, and is restarted, unless it never started.
        guard gate.isOpen else { throw WorldError(path: path, "\(error)") }
        unsafe unlink(path)
        try await Task.sleep(for: .milliseconds(200))
      }
    }
  }

  /// Ends `run`. Requests in progress are still answered.
  func stop() async {
    await state.stop()
    await server.stop(timeout: 1)
  }

  private actor State {
    private(set) var isStopping = false
    private var gate: ConnectionGate?

    func open(_ gate: ConnectionGate) { self.gate = gate }

    func stop() {
      isStopping = true
      gate?.close()
    }
  }

  private struct Handler: HTTPHandler {
    let site: any Site

    func handleRequest(_ request: HTTPRequest) async -> HTTPResponse {
      let reply = await site.reply(
        to: SiteRequest(
          method: request.method.rawValue, path: request.target.path(), host: request.headers[.host],
          knownTag: request.headers[HTTPHeader("If-None-Match")]))
      var response = HTTPResponse(
        statusCode: HTTPStatusCode(reply.status, phrase: Self.phrases[reply.status] ?? ""), body: Data(reply.body))
      for (name, value) in reply.headers { response.headers[HTTPHeader(name)] = value }
      return response
    }

    private static let phrases = [
      200: "OK", 304: "Not Modified", 404: "Not Found", 405: "Method Not Allowed", 421: "Misdirected Request",
    ]
  }
}
