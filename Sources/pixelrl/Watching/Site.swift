import Core
import Reports

/// A web site that `RunServer` serves. It looks pages and files up by name.
protocol Site: Sendable {
  var hosts: HostRule { get }
  func reply(to request: SiteRequest) async -> SiteReply
}

struct SiteRequest: Sendable {
  var method = "GET"
  /// The path as received: percent-encoded, without the query.
  var path: String
  /// The Host header.
  var host: String?
  /// The If-None-Match header.
  var knownTag: String?

  /// Returns the reply to a request that is rejected: for another host, or with a method other than GET and HEAD.
  /// Returns nil for other requests.
  func refusal(_ hosts: HostRule) -> SiteReply? {
    guard let host, hosts.accepts(host) else {
      return .text(421, "This server only accepts requests to its own address.", self)
    }
    guard ["GET", "HEAD"].contains(method) else {
      var reply = SiteReply.text(405, "Only GET and HEAD are supported.", self)
      reply.headers.append(("Allow", "GET, HEAD"))
      return reply
    }
    return nil
  }
}

struct SiteReply: Sendable {
  /// The status code: 200, 304, 404, 405 or 421.
  var status: Int
  var headers: [(name: String, value: String)]
  /// The body. Empty for HEAD, whose Content-Length is that of GET.
  var body: [UInt8]
}

extension SiteReply {
  static func content(_ bytes: [UInt8], _ type: String, _ request: SiteRequest) -> SiteReply {
    let tag = "\"\(String(xxHash64(bytes), radix: 16))\""
    guard request.knownTag != tag else { return SiteReply(status: 304, headers: guards + [("ETag", tag)], body: []) }
    return SiteReply(200, bytes, type, [("ETag", tag)], request)
  }

  /// The script of every page.
  static func script(_ request: SiteRequest) -> SiteReply {
    content(Array(Report.liveScript.utf8), "text/javascript; charset=utf-8", request)
  }

  static func notFound(_ request: SiteRequest) -> SiteReply { text(404, "Not found.", request) }

  static func text(_ status: Int, _ line: String, _ request: SiteRequest) -> SiteReply {
    SiteReply(status, Array((line + "\n").utf8), "text/plain; charset=utf-8", [], request)
  }

  private init(
    _ status: Int, _ body: [UInt8], _ type: String, _ headers: [(name: String, value: String)], _ request: SiteRequest
  ) {
    self.status = status
    self.headers = Self.guards + headers + [("Content-Type", type), ("Content-Length", String(body.count))]
    self.body = request.method == "HEAD" ? [] : body
  }

  /// The security headers. They forbid content sniffing, referrers, requests to other sites, embedding and caching.
  static let guards: [(name: String, value: String)] = [
    (
      "Content-Security-Policy",
      "default-src 'none'; img-src 'self' data:; style-src 'unsafe-inline'; script-src 'self'; connect-src 'self'; "
        + "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    ("X-Content-Type-Options", "nosniff"), ("Referrer-Policy", "no-referrer"), ("X-Frame-Options", "DENY"),
    ("Cross-Origin-Resource-Policy", "same-origin"), ("Cross-Origin-Opener-Policy", "same-origin"),
    ("Cache-Control", "no-store"),
  ]
}
