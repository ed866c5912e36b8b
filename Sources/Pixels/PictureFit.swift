import Core

/// How a picture becomes a frame with other proportions.
public enum PictureFit: String, ChoiceSetting, Hashable {
  /// The largest part in its middle that has the frame's proportions.
  case crop
  /// The whole picture, with black bars.
  case letterbox
  /// The whole picture, distorted.
  case stretch
}

extension PixelBuffer {
  /// Returns the picture as a frame of the given size, in the same format.
  public func fitted(to size: FrameSize, _ fit: PictureFit) -> PixelBuffer {
    switch fit {
    case .stretch: return resized(width: size.width, height: size.height)
    case .crop:
      let part = size.largest(within: self.size)
      return cropped(
        left: (width - part.width) / 2, top: (height - part.height) / 2, width: part.width, height: part.height
      ).resized(width: size.width, height: size.height)
    case .letterbox:
      let part = self.size.largest(within: size)
      var frame = PixelBuffer(size: size, format: format)
      frame.paste(
        resized(width: part.width, height: part.height), left: (size.width - part.width) / 2,
        top: (size.height - part.height) / 2)
      return frame
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

extension FrameSize {
  /// Returns the largest size with these proportions that fits into another one, rounded to whole pixels.
  fileprivate func largest(within other: FrameSize) -> FrameSize {
    width * other.height > height * other.width
      ? FrameSize(width: other.width, height: max(1, (height * other.width + width / 2) / width))
      : FrameSize(width: max(1, (width * other.height + height / 2) / height), height: other.height)
  }
}
