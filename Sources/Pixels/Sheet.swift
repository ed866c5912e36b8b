/// A vertical stack of pictures with titles.
public struct Sheet: Sendable {
  public var sections: [(title: String, picture: PixelBuffer)]
  public var theme = PictureTheme.dark

  /// - Parameter sections: at least one picture. An empty title takes no space.
  public init(_ sections: [(title: String, picture: PixelBuffer)]) {
    precondition(!sections.isEmpty, "a sheet must have at least one picture")
    self.sections = sections
  }

  private static let titleHeight = 34

  /// Draws the sheet as one RGB picture, as wide as its widest picture or title.
  public func picture() -> PixelBuffer {
    let titles = sections.map { $0.title.isEmpty ? 0 : Self.titleHeight }
    let width = sections.map { max($0.picture.width, Font.large.width(of: $0.title) + 24) }.max() ?? 1
    var sheet = PixelBuffer(
      width: width, height: zip(sections, titles).reduce(0) { $0 + $1.0.picture.height + $1.1 })
    sheet.draw { [theme] in $0.fill(theme.paper) }
    var top = 0
    for (section, title) in zip(sections, titles) {
      sheet.write(section.title, left: 12, top: top + 12, font: .large, theme.ink)
      top += title
      sheet.paste(section.picture.converted(to: .rgb), left: 0, top: top)
      top += section.picture.height
    }
    return sheet
  }
}
