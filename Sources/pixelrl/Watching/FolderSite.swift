import Core
import Reports
import Runs

/// The web site of several runs: a page with the progress of all runs, and each run's own site below it. Runs that
/// start later appear automatically.
struct FolderSite: Site {
  let hosts: HostRule
  private let index: Index

  /// - Parameters:
  ///   - paths: run directories, folders of runs, and patterns.
  ///   - refresh: seconds between updates of a page.
  /// - Throws: `InputError` if a path does not exist or there are no runs.
  init(of paths: [String], hosts: HostRule, refreshEvery refresh: Int) throws {
    _ = try RunSelection.runs(at: paths)
    self.hosts = hosts
    index = Index(of: paths, hosts: hosts, refreshEvery: refresh)
  }

  func reply(to request: SiteRequest) async -> SiteReply {
    if let refusal = request.refusal(hosts) { return refusal }
    switch request.path {
    case "/": return .content(await index.page, "text/html; charset=utf-8", request)
    case "/live.js": return .script(request)
    default:
      // `/run/NAME/…`: the name is looked up, and never used as a path.
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

/// The runs at the given paths, by the names of their pages.
private actor Index {
  private let paths: [String]
  private let hosts: HostRule
  private let refresh: Int
  private var sites: [String: RunSite] = [:]
  private var names: [String: String] = [:]
  private var pace = Pace()
  private var made: (bytes: [UInt8], until: ContinuousClock.Instant)?

  init(of paths: [String], hosts: HostRule, refreshEvery refresh: Int) {
    (self.paths, self.hosts, self.refresh) = (paths, hosts, refresh)
  }

  func site(_ name: String) -> RunSite? { sites[name] }

  var page: [UInt8] {
    let start = ContinuousClock.now
    if let made, start < made.until { return made.bytes }
    // A path that has been removed has no runs.
    let runs = (try? RunSelection.runs(at: paths)) ?? []
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

  /// Returns the name of a run's page: the run's name in characters that need no encoding, with a number if it is not
  /// unique.
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
