import Core
import Pixels
import Runs

extension Report {
  /// Writes the page, and next to it a folder with the standard plots as PNG, SVG and TikZ, and a LaTeX fragment: for
  /// `runs/a/report.html`, these are `runs/a/report/return.png` and so on, and `runs/a/report.tex`.
  ///
  /// Replaces the files of an earlier report.
  ///
  /// - Returns: The paths of all files, the page first.
  /// - Throws: `InputError` if the path belongs to another file, `WorldError` with the path.
  public func write(to path: String) throws -> [String] {
    let files = try PageFiles(path)
    let written = try files.write(html(), standardPlots)
    let fragment = files.plots + ".tex"
    try writeAtomically(Array(latex(plots: files.stem).description.utf8), to: fragment)
    return written + [fragment]
  }
}

/// The paths of a page and of the folder of its plots. The folder has the page's name, with only the characters that
/// file systems and TeX allow.
struct PageFiles {
  let page: String
  /// The page's name without folder and extension.
  let stem: String
  /// The folder of the plots.
  let plots: String

  /// Checks that the path is a page's, and that an existing file there was made by `pixelrl`.
  ///
  /// - Throws: `InputError` if it is not, `WorldError` with the path if it cannot be read.
  init(_ path: String) throws {
    guard path.hasSuffix(".html") else { throw InputError("\(path) does not end with .html: give a page's name") }
    let start = path.lastIndex(of: "/").map { path.index(after: $0) } ?? path.startIndex
    page = path
    stem = plainName(String(path[start...].dropLast(5)))
    guard !stem.isEmpty else { throw InputError("\(path) has no name before .html: add one") }
    plots = path[..<start] + stem
    guard exists(path) else {
      // If the page does not exist, the folder and fragment next to it are not this program's.
      for other in [plots, plots + ".tex"] where exists(other) {
        guard try isFolder(other) && folderEntries(other).isEmpty else {
          throw InputError(
            "\(other) exists and does not belong to a page of pixelrl: choose another name with --out, or remove it")
        }
      }
      return
    }
    let head = String(decoding: try readBytes(from: path, limit: 1 << 30).prefix(400), as: UTF8.self)
    guard head.contains(Page.mark) else {
      throw InputError("\(path) exists and is not a page of pixelrl: choose another name with --out, or remove it")
    }
  }

  /// Writes the page and its plots. Returns the paths of all files, the page first.
  func write(_ html: String, _ plots: [NamedPlot]) throws -> [String] {
    try makeOwnFolder(self.plots)
    try writeAtomically(Array(html.utf8), to: page)
    return try [page] + plots.flatMap { try $0.write(to: self.plots) }
  }
}

extension NamedPlot {
  /// Writes the plot as PNG, SVG and, if it has one, TikZ into a folder. Returns their paths.
  fileprivate func write(to folder: String) throws -> [String] {
    let stem = "\(folder)/\(name)"
    try PNG.write(picture, to: "\(stem).png")
    try writeAtomically(Array((svg.description + "\n").utf8), to: "\(stem).svg")
    guard let tikz else { return ["\(stem).png", "\(stem).svg"] }
    try writeAtomically(Array(tikz.description.utf8), to: "\(stem).tikz")
    return ["\(stem).png", "\(stem).svg", "\(stem).tikz"]
  }
}
