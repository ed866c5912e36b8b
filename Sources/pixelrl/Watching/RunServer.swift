import Core
import Dispatch
import FlyingFox
import FlyingSocks
import Foundation
import Synchronization

/// Serves the site of a run or several over HTTP until it is told to stop.
///
/// The library's server, which knows no limits, listens at a socket in a folder of its own, and only a `ConnectionGate` leads
/// there.
struct RunServer: Sendable {
  let site: any Site
  private let server: HTTPServer
  private let port: UInt16
  private let patience: Duration
  private let folder: String
  private var path: String { folder + "/http" }
  private let state = State()

  /// - Parameters:
  ///   - port: 0 takes a free one.
  ///   - patience: how long a request may take to come, and a connection to lie idle.
  /// - Throws: `WorldError` where no temporary folder can be made.
  init(_ site: any Site, port: UInt16, patience: Duration = .seconds(10)) throws {
    self.site = site
    self.port = port
    self.patience = patience
    folder = try temporaryFolder()
    server = HTTPServer(
      address: .unix(path: folder + "/http"), timeout: 60, pool: HTTPServer.defaultPool(), logger: .disabled,
      handler: Handler(site: site))
  }

  /// Serves until `stop`.
  ///
  /// - Parameter announce: called with the page's URL as soon as it can be asked for.
  /// - Throws: `InputError` where the port is taken, `WorldError` where the address is not this machine's.
  func run(announce: @escaping @Sendable (String) throws -> Void) async throws {
    defer { try? FileManager.default.removeItem(atPath: folder) }
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
        // It ends where it gets no descriptor, and is begun again; but not where it never began.
        guard gate.isOpen else { throw WorldError(path: path, "\(error)") }
        unsafe unlink(path)
        try await Task.sleep(for: .milliseconds(200))
      }
    }
  }

  /// Ends `run`; answers that are under way are still given.
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

/// A new folder that only this user can enter.
private func temporaryFolder() throws -> String {
  // The name of a socket has at most 107 bytes.
  let place = NSTemporaryDirectory().utf8.count < 70 ? NSTemporaryDirectory() : "/tmp/"
  var template = Array("\(place)pixelrl-watch-XXXXXX".utf8CString)
  guard unsafe mkdtemp(&template) != nil else { throw systemFailure(place) }
  return String(decoding: template.dropLast().map(UInt8.init(bitPattern:)), as: UTF8.self)
}
