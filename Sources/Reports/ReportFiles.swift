import Core
import Pixels
import Runs

extension Report {
  /// Writes the page. The page of an earlier report of that name is replaced; another file is not.
  ///
  /// - Returns: the paths of all files.
  /// - Throws: `InputError` where the name is taken, `WorldError` with the path.
  public func write(to path: String) throws -> [String] {
    guard path.hasSuffix(".html") else { throw InputError("a report's name ends with .html, unlike \(path)") }
    try writeAtomically(Array(html().utf8), to: path)
    return [path]
  }
}
