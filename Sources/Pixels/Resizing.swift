import Synchronization

extension PixelBuffer {
  /// The frame at another size: each axis by area averaging where it shrinks, by linear interpolation where it grows.
  public func resized(width newWidth: Int, height newHeight: Int) -> PixelBuffer {
    if newWidth == width && newHeight == height { return self }
    var result = PixelBuffer(width: newWidth, height: newHeight, format: format)
    result.fill(resizing: bytes.span, width: width, height: height, format: format)
    return result
  }

  /// Fills this frame with another picture, resized and in this frame's colours.
  ///
  /// - Parameter source: `[height, width, channels]`
  public mutating func fill(resizing source: Span<UInt8>, width: Int, height: Int, format: PixelFormat) {
    precondition(
      source.count == width * height * format.channels,
      "\(width)x\(height) \(format) needs \(width * height * format.channels) bytes, not \(source.count)")
    guard format == self.format else {
      var other = PixelBuffer(width: self.width, height: self.height, format: format)
      other.fill(resizing: source, width: width, height: height, format: format)
      self = other.converted(to: self.format)
      return
    }
    let (newWidth, newHeight) = (self.width, self.height)
    let (across, down) = (Taps.between(width, newWidth), Taps.between(height, newHeight))
    let (channels, row) = (format.channels, width * format.channels)
    // A row between the two passes, [W, C] with `Taps.bits` fraction bits: whole numbers below 2^24, which a Float holds
    // exactly and adds fast.
    var tall = [Float](repeating: 0, count: row)
    var middle = tall.mutableSpan
    var target = bytes.mutableSpan
    for y in 0..<newHeight {
      for index in 0..<row { middle[index] = 0 }
      for tap in down.taps(of: y) {
        let weight = Float(down.weights[tap])
        let line = source.extracting(down.sources[tap] * row..<(down.sources[tap] + 1) * row)
        for index in 0..<row { middle[index] += weight * Float(line[index]) }
      }
      for x in 0..<newWidth {
        for channel in 0..<channels {
          var sum = 1 << (2 * Taps.bits - 1)  // half, to round
          for tap in across.taps(of: x) {
            sum += Int(across.weights[tap]) * Int(middle[across.sources[tap] * channels + channel])
          }
          target[(y * newWidth + x) * channels + channel] = UInt8(sum >> (2 * Taps.bits))
        }
      }
    }
  }

  /// The frame in another format: gray from RGB is luminance, RGB from gray has three equal channels.
  public func converted(to newFormat: PixelFormat) -> PixelBuffer {
    if newFormat == format { return self }
    var result = PixelBuffer(width: width, height: height, format: newFormat)
    let source = bytes.span
    var target = result.bytes.mutableSpan
    for pixel in 0..<width * height {
      switch newFormat {
      case .gray:
        target[pixel] = Color(source[3 * pixel], source[3 * pixel + 1], source[3 * pixel + 2]).luminance
      case .rgb:
        for channel in 0..<3 { target[3 * pixel + channel] = source[pixel] }
      }
    }
    return result
  }

  /// The frame with every pixel as a block of `factor` by `factor` pixels.
  public func magnified(by factor: Int) -> PixelBuffer {
    precondition(factor > 0, "a frame is magnified by a positive factor, not \(factor)")
    if factor == 1 { return self }
    var result = PixelBuffer(width: width * factor, height: height * factor, format: format)
    let (source, channels) = (bytes.span, channels)
    let (oldStride, newStride) = (stride, result.stride)
    var target = result.bytes.mutableSpan
    for y in 0..<height * factor {
      for x in 0..<width * factor {
        for channel in 0..<channels {
          target[y * newStride + x * channels + channel] =
            source[y / factor * oldStride + x / factor * channels + channel]
        }
      }
    }
    return result
  }
}

/// Along one axis, what each new pixel takes from the old ones. The weights of a pixel sum to one exactly, so that a
/// plain frame stays as it is.
private struct Taps {
  private static let known = Mutex<[[Int]: Taps]>([:])

  /// Those of a pair of sizes, made once.
  static func between(_ old: Int, _ new: Int) -> Taps {
    known.withLock { known in
      if let taps = known[[old, new]] { return taps }
      let taps = Taps(from: old, to: new)
      known[[old, new]] = taps
      return taps
    }
  }

  /// Fraction bits of a weight.
  static let bits = 14
  var sources: [Int] = []
  var weights: [Int32] = []
  private var starts = [0]

  private init(from old: Int, to new: Int) {
    let ratio = Double(old) / Double(new)
    for index in 0..<new {
      if new < old {
        let (low, high) = (Double(index) * ratio, Double(index + 1) * ratio)
        let first = Int(low)
        let last = max(first, min(Int(high.rounded(.up)), old) - 1)
        append((first...last).map { ($0, (min(Double($0) + 1, high) - max(Double($0), low)) / ratio) })
      } else {
        let place = min(max((Double(index) + 0.5) * ratio - 0.5, 0), Double(old - 1))
        let first = Int(place)
        let part = place - Double(first)
        append(part > 0 ? [(first, 1 - part), (first + 1, part)] : [(first, 1)])
      }
    }
  }

  func taps(of index: Int) -> Range<Int> { starts[index]..<starts[index + 1] }

  /// Rounds the running sum, so that rounding errors never add up.
  private mutating func append(_ shares: [(source: Int, weight: Double)]) {
    var (sum, rounded) = (0.0, Int32(0))
    for (source, weight) in shares {
      sum += weight
      let next = source == shares[shares.count - 1].source ? 1 << Taps.bits : Int32(sum * Double(1 << Taps.bits) + 0.5)
      sources.append(source)
      weights.append(next - rounded)
      rounded = next
    }
    starts.append(weights.count)
  }
}
