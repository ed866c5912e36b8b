import Core
import Formats
import Pixels
import Runs

/// The PNGs of a run, which are embedded in a page.
struct Pictures {
  let run: RunDirectory

  /// The maximum size of an embedded picture in bytes. For a larger one the page shows a warning instead.
  static let byteLimit = 24 << 20
  private static let pixelLimit = 1 << 24

  /// A picture with its caption, or a warning if it cannot be shown; nil if it does not exist.
  ///
  /// - Parameter alternative: The alternative text for screen readers.
  func figure(_ name: String, caption: Markup, alternative: String) -> Markup? {
    guard exists(run.file(name)) else { return nil }
    do {
      let bytes = try run.bytes(of: name, limit: Self.byteLimit)
      let frame = try PNG.decode(bytes, limit: Self.pixelLimit).frame
      // Magnify small pictures, so that their pixels are visible.
      let scale = max(1, 220 / max(frame.width, frame.height))
      let pixelated: Markup = #" class="pixels""#
      let (width, height) = (frame.width * scale, frame.height * scale)
      let picture: Markup = """
        <img src="data:image/png;base64,\(Markup(stringLiteral: base64(bytes)))" \
        width="\(width)" height="\(height)" alt="\(alternative)"\(scale > 1 ? pixelated : "" as Markup)>
        """
      return """
        <figure>\(enlargeable(picture, width: width, height: height, named: alternative))\
        <figcaption>\(caption)</figcaption></figure>

        """
    } catch {
      return #"<p class="warn">\#(name) cannot be shown: \#("\(error)")</p>"#
    }
  }

  /// The files `reconstructions-STEP.png` sorted by step, and their number. Returns at most `limit` files, including
  /// the first and the last.
  func reconstructions(limit: Int) -> (shown: [(name: String, step: Int)], count: Int) {
    let all = names(in: run.path).compactMap { name -> (name: String, step: Int)? in
      guard name.hasPrefix("reconstructions-"), name.hasSuffix(".png"),
        let step = Int(name.dropFirst(16).dropLast(4))
      else { return nil }
      return (name, step)
    }.sorted { $0.step < $1.step }
    guard limit > 1, all.count > limit else { return (all, all.count) }
    return ((0..<limit).map { all[$0 * (all.count - 1) / (limit - 1)] }, all.count)
  }

  /// The sorted names of the PNGs in `inspection/`.
  var inspections: [String] { names(in: run.file("inspection")).filter { $0.hasSuffix(".png") } }

  private func names(in folder: String) -> [String] {
    // A folder that cannot be listed counts as empty.
    isFolder(folder) ? (try? folderEntries(folder)) ?? [] : []
  }
}
