/// A grid of frames with captions, such as original | reconstruction | error, and an optional legend below.
public struct ImageGrid: Sendable {
  /// Rows of frames from the top. All frames have the same size; rows may differ in length.
  public var rows: [[PixelBuffer]]
  /// Captions above the columns and to the left of the rows. Both are optional.
  public var columnCaptions: [String]
  public var rowCaptions: [String]
  /// The magnification factor of the frames.
  public var scale: Int
  /// The space between and around frames in pixels.
  public var gap = 8
  public var font = Font.small
  public var theme = PictureTheme.dark
  /// An optional legend at the lower right, such as the colour scale of an error map.
  public var legend: PixelBuffer?

  public init(rows: [[PixelBuffer]], columnCaptions: [String] = [], rowCaptions: [String] = [], scale: Int = 2) {
    self.rows = rows
    self.columnCaptions = columnCaptions
    self.rowCaptions = rowCaptions
    self.scale = scale
  }

  /// Draws the grid as one RGB picture. Columns are as wide as a frame or, if it is wider, as the widest caption.
  public func picture() -> PixelBuffer {
    let first = rows.lazy.joined().first
    precondition(first != nil, "an image grid must have at least one frame")
    let (frameWidth, frameHeight) = (first?.width ?? 1, first?.height ?? 1)
    let (cellWidth, cellHeight) = (frameWidth * scale, frameHeight * scale)
    let columns = rows.map(\.count).max() ?? 0
    let columnWidth = columnCaptions.prefix(columns).reduce(cellWidth) { max($0, font.width(of: $1)) }
    let above = columnCaptions.isEmpty ? 0 : font.lineHeight
    let aside = rowCaptions.map { font.width(of: $0) }.max().map { $0 + gap } ?? 0
    let below = legend.map { $0.height + gap } ?? 0
    let width = max(aside + gap + columns * (columnWidth + gap), legend.map { $0.width + 2 * gap } ?? 0)
    let height = above + gap + rows.count * (cellHeight + gap)

    var picture = PixelBuffer(width: width, height: height + below)
    picture.draw { [theme] in $0.fill(theme.paper) }
    if let legend { picture.paste(legend.converted(to: .rgb), left: width - gap - legend.width, top: height) }
    for (index, caption) in columnCaptions.prefix(columns).enumerated() {
      let left = aside + gap + index * (columnWidth + gap) + (columnWidth - font.width(of: caption)) / 2
      picture.write(caption, left: left, top: gap, font: font, theme.ink)
    }
    for (y, row) in rows.enumerated() {
      let top = above + gap + y * (cellHeight + gap)
      if y < rowCaptions.count {
        picture.write(rowCaptions[y], left: gap, top: top + (cellHeight - font.capHeight) / 2, font: font, theme.ink)
      }
      for (x, frame) in row.enumerated() {
        precondition(
          frame.width == frameWidth && frame.height == frameHeight,
          "all frames of a grid must be \(frameWidth)x\(frameHeight), not \(frame.width)x\(frame.height)")
        let left = aside + gap + x * (columnWidth + gap) + (columnWidth - cellWidth) / 2
        picture.paste(frame.converted(to: .rgb).magnified(by: scale), left: left, top: top)
      }
    }
    return picture
  }
}

extension PixelBuffer {
  /// Copies `frame`, which must have the same format, into this one. It must fit.
  public mutating func paste(_ frame: PixelBuffer, left: Int, top: Int) {
    precondition(
      frame.format == format && left >= 0 && top >= 0 && left + frame.width <= width && top + frame.height <= height,
      "\(frame.width)x\(frame.height) \(frame.format) at (\(left), \(top)) does not fit into \(width)x\(height) \(format)"
    )
    for y in 0..<frame.height {
      let start = (top + y) * stride + left * channels
      bytes.replaceSubrange(
        start..<start + frame.stride, with: frame.bytes[y * frame.stride..<(y + 1) * frame.stride])
    }
  }
}
