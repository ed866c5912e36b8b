import Core
import Pixels
import Runs

extension Report {
  /// Writes the page, and beside it the standard plots as PNG and SVG in a folder, and a LaTeX fragment: of
  /// `runs/a/report.html` these are `runs/a/report/return.png` and so on, and `runs/a/report.tex`.
  ///
  /// What an earlier report has left under these names is replaced: that is their purpose.
  ///
  /// - Returns: the paths of all files, the page's first.
  /// - Throws: `InputError` where the name is another file's, `WorldError` with the path.
  public func write(to path: String) throws -> [String] {
    try checkPage(path)
    let split = path.lastIndex(of: "/").map { path.index(after: $0) } ?? path.startIndex
    let folder = String(path[..<split])
    let stem = plainName(String(path[split...].dropLast(5)))
    if !folder.isEmpty { try makeFolder(folder) }
    try writeAtomically(Array(html().utf8), to: path)
    let plots = try standardPlots.flatMap { try $0.write(to: folder + stem) }
    try writeAtomically(Array(latex(plots: stem).description.utf8), to: "\(folder)\(stem).tex")
    return [path] + plots + ["\(folder)\(stem).tex"]
  }
}

/// Refuses a path that is no page's, and one where another file is: only what `pixelrl` made is replaced.
func checkPage(_ path: String) throws {
  guard path.hasSuffix(".html") else { throw InputError("a page's name ends with .html, unlike \(path)") }
  guard exists(path) else { return }
  let head = String(decoding: try readBytes(from: path, limit: 1 << 30).prefix(400), as: UTF8.self)
  guard head.contains(Page.mark) else {
    throw InputError("\(path) exists and is no page of pixelrl: give another name with --out, or remove it")
  }
}

extension NamedPlot {
  /// Writes the plot as PNG and SVG into a folder. Returns their paths.
  func write(to folder: String) throws -> [String] {
    try makeFolder(folder)
    let stem = "\(folder)/\(name)"
    try PNG.write(picture, to: "\(stem).png")
    try writeAtomically(Array((svg.description + "\n").utf8), to: "\(stem).svg")
    return ["\(stem).png", "\(stem).svg"]
  }
}
