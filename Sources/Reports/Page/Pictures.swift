import Core
import Formats
import Pixels
import Runs

/// The PNGs of a run, which a page carries within it.
struct Pictures {
  let run: RunDirectory

  /// Pictures of a page are at most this many bytes each; a greater one is named and left where it is.
  static let byteLimit = 24 << 20
  private static let pixelLimit = 1 << 24

  /// A picture with its caption, or a line that says what is wrong with it; nothing where there is none.
  ///
  /// - Parameter alternative: what is told to those who do not see it.
  func figure(_ name: String, caption: Markup, alternative: String) -> Markup? {
    guard exists(run.file(name)) else { return nil }
    do {
      let bytes = try run.bytes(of: name, limit: Self.byteLimit)
      let frame = try PNG.decode(bytes, limit: Self.pixelLimit).frame
      // A picture of few pixels is magnified: pixels are what is to be looked at.
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

  /// `reconstructions-STEP.png` in order of the step: at most `limit` of them, the first and the last among them.
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

  /// The names of the PNGs in `inspection/`, in order.
  var inspections: [String] { names(in: run.file("inspection")).filter { $0.hasSuffix(".png") } }

  private func names(in folder: String) -> [String] {
    // A folder that cannot be listed shows as one without pictures, which the page says.
    isFolder(folder) ? (try? folderEntries(folder)) ?? [] : []
  }
}
