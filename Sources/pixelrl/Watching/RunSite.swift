import Core
import Reports
import Runs

/// The web site of a run: its page, the page's script, the metrics, and the PNGs in the run directory. Other paths are
/// not found.
struct RunSite: Site {
  let run: RunDirectory
  let hosts: HostRule
  private let page: LivePage

  /// - Parameter refresh: seconds between updates of the page.
  /// - Throws: `InputError` if the folder is not a run.
  init(of path: String, hosts: HostRule, refreshEvery refresh: Int) throws {
    run = try RunDirectory(existing: path)
    self.hosts = hosts
    page = LivePage(of: run, refreshEvery: refresh)
  }

  func reply(to request: SiteRequest) async -> SiteReply {
    if let refusal = request.refusal(hosts) { return refusal }
    switch request.path {
    case "/": return .content(await page.bytes, "text/html; charset=utf-8", request)
    case "/live.js": return .script(request)
    case "/metrics.jsonl": return file("metrics.jsonl", "application/jsonl; charset=utf-8", request)
    default:
      guard let name = picture(request.path) else { return .notFound(request) }
      return file(name, "image/png", request)
    }
  }

  /// Returns the file name in a path such as `/curve.png` or `/inspection/values.png`, or nil if it is not that of a
  /// PNG or needs decoding.
  private func picture(_ path: String) -> String? {
    let parts = path.split(separator: "/", omittingEmptySubsequences: false).dropFirst()
    guard path.hasPrefix("/"), parts.count == 1 || parts.count == 2 && parts.first == "inspection",
      let name = parts.last, name.hasSuffix(".png"), !name.hasPrefix("."),
      name.utf8.allSatisfy({ isNameByte($0) })
    else { return nil }
    return parts.joined(separator: "/")
  }

  private func isNameByte(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
      UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: "."):
      true
    default: false
    }
  }

  /// Replies with a regular file in the run directory itself, not behind a link.
  private func file(_ name: String, _ type: String, _ request: SiteRequest) -> SiteReply {
    do { return .content(try run.bytes(of: name, limit: 1 << 28), type, request) } catch {
      // The reply has neither the path nor the reason.
      return .notFound(request)
    }
  }
}

/// The report of a run that may still be running. It is rebuilt on request, but at a limited rate.
private actor LivePage {
  private let run: RunDirectory
  private let refresh: Int
  private var made: (bytes: [UInt8], until: ContinuousClock.Instant)?

  init(of run: RunDirectory, refreshEvery refresh: Int) {
    self.run = run
    self.refresh = refresh
  }

  var bytes: [UInt8] {
    let start = ContinuousClock.now
    if let made, start < made.until { return made.bytes }
    let page = Array(Report(of: [run]).html(refreshEvery: refresh).utf8)
    // All clients share one page. The longer a page takes to build, the longer it is kept.
    let cost = ContinuousClock.now - start
    made = (page, start + cost * 4 + .seconds(refresh) / 2)
    return page
  }
}
