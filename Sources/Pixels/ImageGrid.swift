/// Frames side by side with captions, such as original | reconstruction | error.
public struct ImageGrid: Sendable {
  /// Rows of frames from the top, all of one size; a row may be short.
  public var rows: [[PixelBuffer]]
  /// What stands above each column and to the left of each row; either may be left out.
  public var columnCaptions: [String]
  public var rowCaptions: [String]
  /// How many pixels wide and high each of a frame's pixels becomes.
  public var scale: Int
  /// Pixels between frames and around them.
  public var gap = 8
  public var captionScale = 1
  public var background = Color(24, 26, 32)
  public var ink = Color(226, 229, 236)

  public init(rows: [[PixelBuffer]], columnCaptions: [String] = [], rowCaptions: [String] = [], scale: Int = 2) {
    self.rows = rows
    self.columnCaptions = columnCaptions
    self.rowCaptions = rowCaptions
    self.scale = scale
  }

  /// The grid as one RGB picture. A caption wider than its column is cut.
  public func picture() -> PixelBuffer {
    let first = rows.lazy.joined().first
    precondition(first != nil, "an image grid needs at least one frame")
    let (frameWidth, frameHeight) = (first?.width ?? 1, first?.height ?? 1)
    let (cellWidth, cellHeight) = (frameWidth * scale, frameHeight * scale)
    let columns = rows.map(\.count).max() ?? 0
    let letter = Font.advance * captionScale
    let above = columnCaptions.isEmpty ? 0 : Font.lineHeight * captionScale
    let aside = rowCaptions.map { $0.count * letter }.max().map { $0 + gap } ?? 0

    var picture = PixelBuffer(
      width: aside + gap + columns * (cellWidth + gap), height: above + gap + rows.count * (cellHeight + gap))
    picture.draw { $0.fill(background) }
    for (index, caption) in columnCaptions.prefix(columns).enumerated() {
      let shown = String(caption.prefix((cellWidth + captionScale) / letter))
      let left = aside + gap + index * (cellWidth + gap) + (cellWidth - Font.width(of: shown, scale: captionScale)) / 2
      picture.write(shown, left: left, top: gap, scale: captionScale, ink)
    }
    for (y, row) in rows.enumerated() {
      let top = above + gap + y * (cellHeight + gap)
      if y < rowCaptions.count {
        let middle = top + (cellHeight - Font.capHeight * captionScale) / 2
        picture.write(rowCaptions[y], left: gap, top: middle, scale: captionScale, ink)
      }
      for (x, frame) in row.enumerated() {
        precondition(
          frame.width == frameWidth && frame.height == frameHeight,
          "a grid of \(frameWidth)x\(frameHeight) frames cannot hold one of \(frame.width)x\(frame.height)")
        picture.paste(
          frame.converted(to: .rgb).magnified(by: scale), left: aside + gap + x * (cellWidth + gap), top: top)
      }
    }
    return picture
  }
}

extension PixelBuffer {
  /// Puts `frame`, of the same format, over a part of this one; both corners must lie within.
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
