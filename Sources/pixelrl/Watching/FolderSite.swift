import Core
import Reports
import Runs

/// What a browser is given of several runs: a page of where they stand, and each run's own site below it. Runs that begin
/// later appear by themselves.
struct FolderSite: Site {
  let hosts: HostRule
  private let index: Index

  /// - Parameters:
  ///   - places: folders of runs, folders that they lie in, and patterns.
  ///   - refresh: seconds after which a page asks for itself again.
  /// - Throws: `InputError` where a place does not exist or there are no runs at all.
  init(of places: [String], hosts: HostRule, refreshEvery refresh: Int) throws {
    _ = try RunSelection.runs(at: places)
    self.hosts = hosts
    index = Index(of: places, hosts: hosts, refreshEvery: refresh)
  }

  func reply(to request: SiteRequest) async -> SiteReply {
    if let refusal = request.refusal(hosts) { return refusal }
    switch request.path {
    case "/": return .content(await index.page, "text/html; charset=utf-8", request)
    case "/live.js": return .script(request)
    default:
      // `/run/NAME/…`: the name is looked up, and never taken for a path.
      let parts = request.path.split(separator: "/", maxSplits: 3, omittingEmptySubsequences: false)
      guard parts.count == 4, parts[0].isEmpty, parts[1] == "run", let site = await index.site(String(parts[2])) else {
        return .notFound(request)
      }
      var inner = request
      inner.path = "/\(parts[3])"
      return await site.reply(to: inner)
    }
  }
}

/// The runs of places as they are found, by the names that their pages have.
private actor Index {
  private let places: [String]
  private let hosts: HostRule
  private let refresh: Int
  private var sites: [String: RunSite] = [:]
  private var names: [String: String] = [:]
  private var pace = Pace()
  private var made: (bytes: [UInt8], until: ContinuousClock.Instant)?

  init(of places: [String], hosts: HostRule, refreshEvery refresh: Int) {
    (self.places, self.hosts, self.refresh) = (places, hosts, refresh)
  }

  func site(_ name: String) -> RunSite? { sites[name] }

  var page: [UInt8] {
    let start = ContinuousClock.now
    if let made, start < made.until { return made.bytes }
    // A place that has gone in the meantime has no runs.
    let runs = (try? RunSelection.runs(at: places)) ?? []
    let rows = runs.compactMap { run -> Dashboard.Row? in
      guard let name = name(of: run) else { return nil }
      let entry = RunEntry(run)
      return Dashboard.Row(entry, link: "run/\(name)/", remaining: pace.remaining(of: entry))
    }
    let bytes = Array(Dashboard(rows).html(refreshEvery: refresh).utf8)
    let cost = ContinuousClock.now - start
    made = (bytes, start + cost * 4 + .seconds(refresh) / 2)
    return bytes
  }

  /// The name of a run's page: its own, of letters that need no encoding, and told apart from others of the same.
  private func name(of run: RunDirectory) -> String? {
    if let known = names[run.path] { return known }
    guard let site = try? RunSite(of: run.path, hosts: hosts, refreshEvery: refresh) else { return nil }
    let stem = String(run.name.map { $0.isASCII && ($0.isLetter || $0.isNumber || "-_.".contains($0)) ? $0 : "-" })
    var (name, number) = (stem, 2)
    while sites[name] != nil {
      name = "\(stem)~\(number)"
      number += 1
    }
    (names[run.path], sites[name]) = (name, site)
    return name
  }
}
