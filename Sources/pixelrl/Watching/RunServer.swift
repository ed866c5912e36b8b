import Core
import Dispatch
import FlyingFox
import FlyingSocks
import Foundation
import Synchronization

/// Serves the site of a run or several over HTTP until it is told to stop.
struct RunServer: Sendable {
  let site: any Site
  private let server: HTTPServer

  /// - Parameter port: 0 takes a free one.
  init(_ site: any Site, port: UInt16) throws {
    self.site = site
    let handler = Handler(site: site)
    let (address, pool) = (site.hosts.address, HTTPServer.defaultPool())
    server =
      site.hosts.isIPv6
      ? HTTPServer(
        address: try .inet6(ip6: address, port: port), timeout: 60, pool: pool, logger: .disabled, handler: handler)
      : HTTPServer(
        address: try .inet(ip4: address, port: port), timeout: 60, pool: pool, logger: .disabled, handler: handler)
    self.port = port
  }

  private let port: UInt16

  /// Serves until `stop`.
  ///
  /// - Parameter announce: called with the page's URL as soon as it can be asked for.
  /// - Throws: `InputError` where the port is taken, `WorldError` where the address is not this machine's.
  func run(announce: @escaping @Sendable (String) throws -> Void) async throws {
    let announcement = Task {
      try await server.waitUntilListening(timeout: 30)
      if let url = await url { try announce(url) }
    }
    defer { announcement.cancel() }
    do { try await server.run() } catch {
      guard await !state.isStopping else { return }
      throw explained(error)
    }
  }

  /// Ends `run`; answers that are under way are still given.
  func stop() async {
    await state.stop()
    await server.stop(timeout: 1)
  }

  private let state = State()

  private actor State {
    private(set) var isStopping = false
    func stop() { isStopping = true }
  }

  /// Where the page is; nil while nobody listens.
  var url: String? {
    get async {
      switch await server.listeningAddress {
      case .ip4(_, let port), .ip6(_, let port): "http://\(site.hosts.text):\(port)/"
      default: nil
      }
    }
  }

  private func explained(_ error: any Error) -> any Error {
    guard case SocketError.failed(_, let code, let message) = error else { return error }
    switch code {
    case EADDRINUSE:
      return InputError("port \(port) is taken: give another with --port, or --port 0 for any that is free")
    case EACCES:
      return InputError("port \(port) may not be used: give one from 1024 to 65535 with --port, or --port 0")
    default: return WorldError("\(site.hosts.text):\(port): \(message)")
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
