import Core
import Pixels
import Runs

extension Report {
  /// Writes the page, and beside it the standard plots as PNG, SVG and TikZ in a folder, and a LaTeX fragment: of
  /// `runs/a/report.html` these are `runs/a/report/return.png` and so on, and `runs/a/report.tex`.
  ///
  /// What an earlier report has left under these names is replaced: that is their purpose.
  ///
  /// - Returns: the paths of all files, the page's first.
  /// - Throws: `InputError` where the name is another file's, `WorldError` with the path.
  public func write(to path: String) throws -> [String] {
    let files = try PageFiles(path)
    let written = try files.write(html(), standardPlots)
    let fragment = files.plots + ".tex"
    try writeAtomically(Array(latex(plots: files.stem).description.utf8), to: fragment)
    return written + [fragment]
  }
}

/// A page and the folder of its plots beside it, which has the page's name as far as file systems and TeX take it.
struct PageFiles {
  let page: String
  /// The page's name without its folder and its ending.
  let stem: String
  /// The folder of the plots.
  let plots: String

  /// Refuses a path that is no page's, and one where another file is: only what `pixelrl` made is replaced.
  init(_ path: String) throws {
    guard path.hasSuffix(".html") else { throw InputError("a page's name ends with .html, unlike \(path)") }
    let start = path.lastIndex(of: "/").map { path.index(after: $0) } ?? path.startIndex
    page = path
    stem = plainName(String(path[start...].dropLast(5)))
    guard !stem.isEmpty else { throw InputError("a page's name is not empty, unlike \(path)") }
    plots = path[..<start] + stem
    guard exists(path) else {
      // Without a page, what lies beside it is somebody else's.
      for other in [plots, plots + ".tex"] where exists(other) {
        guard try isFolder(other) && folderEntries(other).isEmpty else {
          throw InputError(
            "\(other) exists and belongs to no page of pixelrl: give another name with --out, or remove it")
        }
      }
      return
    }
    let head = String(decoding: try readBytes(from: path, limit: 1 << 30).prefix(400), as: UTF8.self)
    guard head.contains(Page.mark) else {
      throw InputError("\(path) exists and is no page of pixelrl: give another name with --out, or remove it")
    }
  }

  /// Returns the paths of all files, the page's first.
  func write(_ html: String, _ plots: [NamedPlot]) throws -> [String] {
    try makeOwnFolder(self.plots)
    try writeAtomically(Array(html.utf8), to: page)
    return try [page] + plots.flatMap { try $0.write(to: self.plots) }
  }
}

extension NamedPlot {
  /// Writes the plot as PNG, SVG and, for a fragment, TikZ into a folder. Returns their paths.
  fileprivate func write(to folder: String) throws -> [String] {
    let stem = "\(folder)/\(name)"
    try PNG.write(picture, to: "\(stem).png")
    try writeAtomically(Array((svg.description + "\n").utf8), to: "\(stem).svg")
    guard let tikz else { return ["\(stem).png", "\(stem).svg"] }
    try writeAtomically(Array(tikz.description.utf8), to: "\(stem).tikz")
    return ["\(stem).png", "\(stem).svg", "\(stem).tikz"]
  }
}
