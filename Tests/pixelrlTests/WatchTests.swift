import Core
import Foundation
import Runs
import Synchronization
import Testing

@testable import pixelrl

/// Calls `body` with the site of a run that has images, and other files that must not be served.
private func withSite(host: String = "127.0.0.1", _ body: (RunSite) async throws -> Void) async throws {
  let folder = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString).path
  defer { try? FileManager.default.removeItem(atPath: folder) }
  let run = try RunDirectory(
    at: "\(folder)/run",
    RunDirectory.Facts(
      command: "train", environment: "catch", member: "double-dqn", seed: 1, commandLine: ["pixelrl", "<script>"],
      version: "1"), settings: [])
  try makeFolder(run.file("inspection"))
  try makeFolder(run.file("checkpoints"))
  let picture = [UInt8]("\u{89}PNG\r\n".utf8)
  for name in ["curve.png", "inspection/values.png", "checkpoints/a.png", ".hidden.png", "secret.txt"] {
    try writeAtomically(picture, to: run.file(name))
  }
  try writeAtomically(picture, to: "\(folder)/outside.png")
  try FileManager.default.createSymbolicLink(atPath: run.file("link.png"), withDestinationPath: "\(folder)/outside.png")
  try writeAtomically(Array("{\"step\":1,\"evaluation/return\":2}\n".utf8), to: run.file("metrics.jsonl"))
  try await body(RunSite(of: run.path, hosts: HostRule(host), refreshEvery: 2))
}

extension Site {
  fileprivate func get(_ path: String, host: String? = "127.0.0.1:8080", method: String = "GET", tag: String? = nil)
    async -> SiteReply
  {
    await reply(to: SiteRequest(method: method, path: path, host: host, knownTag: tag))
  }
}

extension SiteReply {
  fileprivate subscript(name: String) -> String? { headers.first { $0.name == name }?.value }
}

@Suite struct RunSiteTests {
  @Test func thePageItsScriptMetricsAndImagesAreServed() async throws {
    try await withSite { site in
      let types = [
        "/": "text/html; charset=utf-8", "/live.js": "text/javascript; charset=utf-8",
        "/metrics.jsonl": "application/jsonl; charset=utf-8", "/curve.png": "image/png",
        "/inspection/values.png": "image/png",
      ]
      for (path, type) in types {
        let reply = await site.get(path)
        #expect(reply.status == 200 && reply["Content-Type"] == type, "\(path)")
        #expect(reply["Content-Length"] == "\(reply.body.count)" && !reply.body.isEmpty)
        let head = await site.get(path, method: "HEAD")
        #expect(head.status == 200 && head.body.isEmpty && head["Content-Length"] == reply["Content-Length"])
        let known = await site.get(path, tag: reply["ETag"])
        #expect(known.status == 304 && known.body.isEmpty)
      }
      let page = String(decoding: await site.get("/").body, as: UTF8.self)
      #expect(page.contains("live.js") && !page.contains("<script>"), "text from the run is escaped")
    }
  }

  @Test func everyReplyHasSecurityHeaders() async throws {
    try await withSite { site in
      for (path, host) in [("/", "localhost"), ("/nothing", "localhost"), ("/", "evil.example")] {
        let reply = await site.get(path, host: host)
        #expect(reply["Content-Security-Policy"]?.hasPrefix("default-src 'none'; ") == true)
        #expect(reply["Content-Security-Policy"]?.contains("unsafe-eval") == false)
        #expect(reply["X-Content-Type-Options"] == "nosniff" && reply["Referrer-Policy"] == "no-referrer")
        #expect(reply["Cross-Origin-Resource-Policy"] == "same-origin" && reply["Cache-Control"] == "no-store")
      }
    }
  }

  @Test(arguments: [
    "", "//", "/..", "/../outside.png", "/%2e%2e/outside.png", "/..%2foutside.png", "/inspection/../curve.png",
    "/inspection%2fvalues.png", "/inspection/../../outside.png", "//curve.png", "/inspection//values.png",
    "/curve.png%00", "/curve.png\0", "/\0curve.png", "/curve.png/", "/link.png", "/.hidden.png", "/secret.txt",
    "/run.json", "/settings.yaml", "/checkpoints/a.png", "/checkpoints", "/inspection", "/inspection/inspection.json",
    "curve.png", "/CURVE.PNG", "/nothing.png", "/.png", "/curve.png?x=1", "http://127.0.0.1/curve.png", "/etc/passwd",
    "/\\..\\outside.png", "/%63urve.png", "/curve.png#a", "*",
  ])
  func nothingElseIsFound(path: String) async throws {
    try await withSite { site in
      let reply = await site.get(path)
      #expect(reply.status == 404)
      #expect(String(decoding: reply.body, as: UTF8.self) == "Not found.\n", "the reply does not repeat the path")
    }
  }

  @Test func aFolderBehindALinkIsNotServed() async throws {
    try await withSite { site in
      let inspection = site.run.file("inspection")
      try FileManager.default.moveItem(atPath: inspection, toPath: site.run.path + "-elsewhere")
      try FileManager.default.createSymbolicLink(
        atPath: inspection, withDestinationPath: site.run.path + "-elsewhere")
      #expect(await site.get("/inspection/values.png").status == 404)
    }
  }

  @Test(arguments: ["POST", "PUT", "DELETE", "OPTIONS", "TRACE", "CONNECT", "PATCH", "get", ""])
  func onlyGetAndHeadAreAnswered(method: String) async throws {
    try await withSite { site in
      let reply = await site.get("/", method: method)
      #expect(reply.status == 405 && reply["Allow"] == "GET, HEAD")
    }
  }

  @Test func otherHostsAreRejected() async throws {
    try await withSite { site in
      for host in ["127.0.0.1", "127.0.0.1:9", "localhost", "LOCALHOST:8080", "[::1]:8080", "[::1]", "127.0.0.2:8080"] {
        #expect(await site.get("/curve.png", host: host).status == 200, "\(host)")
      }
      for host in [
        nil, "", "evil.example", "evil.example:8080", "127.0.0.1.evil.example", "localhost.evil.example",
        "127.0.0.1@evil",
        "192.168.0.1", "[::2]", "[::1", "::1", "127.0.0.1:", "127.0.0.1:99999", "127.0.0.1:80:80", "[127.0.0.1]",
        " 127.0.0.1",
        "127.1", "2130706433",
      ] {
        #expect(await site.get("/curve.png", host: host).status == 421, "\(host ?? "none")")
      }
    }
    // If other machines can connect, only numeric addresses are accepted.
    try await withSite(host: "0.0.0.0") { site in
      #expect(await site.get("/curve.png", host: "192.168.0.1:8080").status == 200)
      #expect(await site.get("/curve.png", host: "evil.example").status == 421)
    }
  }

  @Test func hostsAreNumericAddresses() throws {
    #expect(try HostRule("127.0.0.1").isLoopback && HostRule("::1").isLoopback && HostRule("localhost").isLoopback)
    #expect(try !HostRule("0.0.0.0").isLoopback && !HostRule("::").isLoopback && !HostRule("10.0.0.1").isLoopback)
    #expect(try HostRule("::1").text == "[::1]")
    for host in ["", "example.org", "1.2.3", "127.0.0.1:80", "::g", "127.0.0.1\0"] {
      #expect(throws: InputError.self) { try HostRule(host) }
    }
  }
}

@Suite struct FolderSiteTests {
  @Test func runsShareAPageAndHaveTheirOwn() async throws {
    try await withSite { site in
      let folder = site.run.path.replacing("/run", with: "")
      try FileManager.default.copyItem(atPath: site.run.path, toPath: "\(folder)/a b")
      try makeFolder("\(folder)/deeper")
      try FileManager.default.copyItem(atPath: site.run.path, toPath: "\(folder)/deeper/run")
      try makeFolder("\(folder)/empty")
      let all = try FolderSite(of: [folder], hosts: site.hosts, refreshEvery: 2)
      let page = String(decoding: await all.get("/").body, as: UTF8.self)
      #expect(page.contains("3 runs, 0 running") && page.contains("interrupted") && !page.contains("<script>"))
      for name in ["a-b", "run", "run~2"] {
        #expect(page.contains(#"href="run/\#(name)/""#), "\(name)")
        for file in ["", "live.js", "curve.png", "metrics.jsonl", "inspection/values.png"] {
          #expect(await all.get("/run/\(name)/\(file)").status == 200, "\(name)/\(file)")
        }
        #expect(await all.get("/run/\(name)/").body == site.get("/").body || name != "run~2")
      }
      #expect(await all.get("/live.js").status == 200)
      for path in [
        "/run", "/run/", "/run/run", "/run/nothing/", "/run/../curve.png", "/run/run/../../outside.png",
        "/run/run/link.png",
        "/run/run/run.json", "/run/deeper/run/", "/run/a%20b/", "/run/a b/", "//run/run/", "/curve.png",
        "/metrics.jsonl", "",
        "/run/run//curve.png", "/run/run/%2e%2e/a-b/curve.png",
      ] {
        let reply = await all.get(path)
        #expect(reply.status == 404 && String(decoding: reply.body, as: UTF8.self) == "Not found.\n", "\(path)")
      }
      #expect(await all.get("/run/run/", host: "evil.example").status == 421)
      #expect(await all.get("/run/run/", method: "POST").status == 405)
      #expect(throws: InputError.self) {
        try FolderSite(of: ["\(folder)/empty"], hosts: site.hosts, refreshEvery: 2)
      }
    }
  }
}

/// Calls `body` with a server of a site and the server's port, and stops the server at the end.
private func withServer(
  _ site: RunSite, patience: Duration = .seconds(10), _ body: (RunServer, UInt16) async throws -> Void
) async throws {
  let server = try RunServer(site, port: 0, patience: patience)
  let (urls, announced) = AsyncStream<String>.makeStream()
  let serving = Task { try await server.run { announced.yield($0) } }
  var iterator = urls.makeAsyncIterator()
  let url = try #require(await iterator.next())
  let port = try #require(UInt16(url.split(separator: ":").last?.dropLast() ?? ""))
  #expect(url == "http://127.0.0.1:\(port)/")
  do { try await body(server, port) } catch {
    await server.stop()
    throw error
  }
  await server.stop()
  try await serving.value
  #expect(!exists(server.folder.path))
}

@Suite(.serialized) struct RunServerTests {
  @Test func repliesOverASocket() async throws {
    try await withSite { site in
      try await withServer(site) { server, port in
        func ask(_ line: String, _ headers: String = "Host: 127.0.0.1:8080\r\n") async throws -> String {
          try await exchange("\(line) HTTP/1.1\r\n\(headers)Connection: close\r\n\r\n", port: port)
        }
        #expect(try await ask("GET /curve.png").hasPrefix("HTTP/1.1 200 "))
        let head = try await ask("HEAD /")
        #expect(head.hasPrefix("HTTP/1.1 200 ") && head.hasSuffix("\r\n\r\n") && head.contains("nosniff"))
        for path in ["/../outside.png", "/%2e%2e/outside.png", "/inspection%2fvalues.png", "/a%00.png", "/run.json"] {
          #expect(try await ask("GET \(path)").hasPrefix("HTTP/1.1 404 "), "\(path)")
        }
        #expect(try await ask("POST /").hasPrefix("HTTP/1.1 405 "))
        #expect(try await ask("GET /", "Host: evil.example\r\n").hasPrefix("HTTP/1.1 421 "))
        #expect(try await ask("GET /", "").hasPrefix("HTTP/1.1 421 "))

        let second = try RunServer(site, port: port)
        let taken = await #expect(throws: InputError.self) { try await second.run { _ in } }
        #expect(taken?.description.contains("port \(port) is taken") == true)
      }
    }
  }

  /// A request that is too long is rejected, and other requests are answered.
  @Test(arguments: [
    "GET /" + String(repeating: "a", count: 300_000),
    "GET / HTTP/1.1\r\nHost: " + String(repeating: "a", count: 300_000),
    "GET / HTTP/1.1\r\n" + String(repeating: "a: b\r\n", count: 50_000),
    "POST / HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 9000000\r\n\r\n" + String(repeating: "a", count: 300_000),
  ])
  func requestsAreBounded(_ request: String) async throws {
    try await withSite { site in
      try await withServer(site) { _, port in
        let start = ContinuousClock.now
        // The server may close the connection before all bytes are sent.
        _ = try? await exchange(request, port: port)
        #expect(ContinuousClock.now - start < .seconds(20))
        let answer = try await page(port: port)
        #expect(answer.hasPrefix("HTTP/1.1 200 "))
      }
    }
  }

  /// Silent clients and incomplete requests are disconnected. Connections above the limit wait and are answered.
  @Test(.timeLimit(.minutes(1))) func idleConnectionsAreClosed() async throws {
    try await withSite { site in
      try await withServer(site, patience: .milliseconds(300)) { _, port in
        let idle = try (0..<40).map { number in
          let connection = try connected(port: port)
          if number % 2 == 0 { try connection.write(contentsOf: Data("GET / HT".utf8)) }
          return connection
        }
        let answer = try await page(port: port)
        #expect(answer.hasPrefix("HTTP/1.1 200 "))
        try await onItsOwnThread { for connection in idle { _ = try? connection.readToEnd() } }
      }
    }
  }

  /// The size limit is that of one request, not of all requests on a connection.
  @Test func aConnectionCanHaveManyRequests() async throws {
    try await withSite { site in
      try await withServer(site) { _, port in
        let connection = try connected(port: port)
        let padding = String(repeating: "a", count: 3000)
        for _ in 0..<8 {
          try connection.write(
            contentsOf: Data(
              "HEAD /curve.png HTTP/1.1\r\nHost: 127.0.0.1\r\nX: \(padding)\r\nConnection: keep-alive\r\n\r\n".utf8))
          let answer = try await onItsOwnThread { String(decoding: connection.availableData, as: UTF8.self) }
          #expect(answer.hasPrefix("HTTP/1.1 200 "))
        }
      }
    }
  }

  @Test(
    .timeLimit(.minutes(1)), arguments: ["metrics.jsonl", "run.json", "settings.yaml", "summary.json", "curve.png"])
  func aPipeInTheRunDirectoryBlocksNothing(_ name: String) async throws {
    try await withSite { site in
      try? FileManager.default.removeItem(atPath: site.run.file(name))
      #expect(unsafe mkfifo(site.run.file(name), 0o600) == 0)
      #expect(await site.get("/").status == 200)
      #expect(await site.get("/\(name)").status == 404)
    }
  }

  private func page(port: UInt16) async throws -> String {
    try await exchange("GET /curve.png HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n", port: port)
  }
}

/// Sends a request to a port of this machine and returns everything that it receives.
private func exchange(_ request: String, port: UInt16) async throws -> String {
  try await onItsOwnThread {
    let connection = try connected(port: port)
    try connection.write(contentsOf: Data(request.utf8))
    return String(decoding: try connection.readToEnd() ?? Data(), as: UTF8.self)
  }
}

/// Runs blocking work on its own thread, so that it does not block one of the few threads of the server's tasks.
private func onItsOwnThread<Result: Sendable>(_ body: @escaping @Sendable () throws -> Result) async throws -> Result {
  try await withCheckedThrowingContinuation { continuation in
    Thread.detachNewThread { continuation.resume(with: Swift.Result(catching: body)) }
  }
}

/// Returns a connection to a port of this machine.
private func connected(port: UInt16) throws -> FileHandle {
  let socket = Foundation.socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
  let file = FileHandle(fileDescriptor: socket, closeOnDealloc: true)
  // Sending on a closed connection is an error, not a signal.
  signal(SIGPIPE, SIG_IGN)
  var address = sockaddr_in()
  address.sin_family = sa_family_t(AF_INET)
  address.sin_port = port.bigEndian
  address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
  let connected = unsafe withUnsafePointer(to: &address) {
    unsafe $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
      unsafe connect(socket, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
    }
  }
  try #require(connected == 0)
  return file
}
