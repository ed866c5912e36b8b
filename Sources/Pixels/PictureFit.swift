import Core

/// How a picture that is not square becomes a square frame.
public enum PictureFit: String, ChoiceSetting, Hashable {
  /// The largest square in its middle.
  case crop
  /// The whole picture, with black bars.
  case letterbox
  /// The whole picture, with other proportions.
  case stretch
}

extension PixelBuffer {
  /// Returns the picture as a square of `side` by `side` pixels, in the same format.
  public func squared(side: Int, _ fit: PictureFit) -> PixelBuffer {
    precondition(side > 0, "the side of a square must be positive, not \(side)")
    switch fit {
    case .stretch: return resized(width: side, height: side)
    case .crop:
      let short = min(width, height)
      return cropped(left: (width - short) / 2, top: (height - short) / 2, width: short, height: short)
        .resized(width: side, height: side)
    case .letterbox:
      let long = max(width, height)
      let (newWidth, newHeight) = (max(1, (width * side + long / 2) / long), max(1, (height * side + long / 2) / long))
      var square = PixelBuffer(width: side, height: side, format: format)
      square.paste(
        resized(width: newWidth, height: newHeight), left: (side - newWidth) / 2, top: (side - newHeight) / 2)
      return square
    }
  }

  /// Returns a part of the picture.
  public func cropped(left: Int, top: Int, width newWidth: Int, height newHeight: Int) -> PixelBuffer {
    precondition(
      left >= 0 && top >= 0 && newWidth > 0 && newHeight > 0 && left + newWidth <= width && top + newHeight <= height,
      "\(newWidth)x\(newHeight) at (\(left), \(top)) is not a part of \(width)x\(height)")
    guard newWidth < width || newHeight < height else { return self }
    let rows = (top..<top + newHeight).flatMap { row in
      let start = row * stride + left * channels
      return bytes[start..<start + newWidth * channels]
    }
    return PixelBuffer(width: newWidth, height: newHeight, format: format, bytes: rows)
  }
}
