import Synchronization

extension PixelBuffer {
  /// Returns the frame resized: by area averaging along an axis that shrinks, by linear interpolation along one that
  /// grows.
  public func resized(width newWidth: Int, height newHeight: Int) -> PixelBuffer {
    if newWidth == width && newHeight == height { return self }
    var result = PixelBuffer(width: newWidth, height: newHeight, format: format)
    result.fill(resizing: bytes.span, width: width, height: height, format: format)
    return result
  }

  /// Fills this frame with another picture, resized and converted to this frame's format.
  ///
  /// - Parameters:
  ///   - source: `[height, width, channels]`
  ///   - shown: the picture that this frame was last filled with, if known. Only rows that differ from it are computed.
  public mutating func fill(
    resizing source: Span<UInt8>, width: Int, height: Int, format: PixelFormat, after shown: [UInt8]? = nil
  ) {
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
    let (firsts, weights) = (across.firsts.span, across.weights.span)
    // The intermediate row after the vertical pass: [W, C] with `Taps.bits` fraction bits.
    var tall = [Int32](repeating: 0, count: row)
    var target = bytes.mutableSpan
    let newRow = newWidth * channels
    // The last row so far that differs from the row above, and the last that differs from `shown`.
    var (lastChange, scanned) = (0, 0)
    var (lastDifference, compared) = (-1, -1)
    for y in 0..<newHeight {
      let first = down.firsts[y]
      if let shown, shown.count == source.count {
        while compared + 1 < first + down.count {
          compared += 1
          let line = compared * row..<(compared + 1) * row
          if !shown.span.extracting(line).isEqual(to: source.extracting(line)) { lastDifference = compared }
        }
        if lastDifference < first { continue }
      }
      while scanned + 1 < first + down.count {
        scanned += 1
        let (above, line) = (
          source.extracting((scanned - 1) * row..<scanned * row),
          source.extracting(scanned * row..<(scanned + 1) * row)
        )
        if !above.isEqual(to: line) { lastChange = scanned }
      }
      // All source rows are equal since the start of the previous row, so copy that. This is common in backgrounds and
      // walls.
      if y > 0 && lastChange <= down.firsts[y - 1] {
        for index in y * newRow..<(y + 1) * newRow { target[index] = target[index - newRow] }
        continue
      }
      do {
        var middle = tall.mutableSpan
        for index in 0..<row { middle[index] = 0 }
        for tap in 0..<down.count {
          let weight = Int32(down.weights[y * down.count + tap])
          let line = source.extracting((first + tap) * row..<(first + tap + 1) * row)
          for index in 0..<row { middle[index] &+= weight &* Int32(line[index]) }
        }
      }
      let middle = tall.span
      for x in 0..<newWidth {
        for channel in 0..<channels {
          // `Taps` guarantees that the indices are in range.
          let (start, index) = (x &* across.count, unsafe firsts[unchecked: x] &* channels &+ channel)
          var sum = 1 << (2 * Taps.bits - 1)  // half, to round
          if across.count == 3 {
            // The loop below, unrolled for the most common case.
            unsafe sum &+=
              Int(weights[unchecked: start]) &* Int(middle[unchecked: index])
              &+ Int(weights[unchecked: start &+ 1]) &* Int(middle[unchecked: index &+ channels])
              &+ Int(weights[unchecked: start &+ 2]) &* Int(middle[unchecked: index &+ 2 &* channels])
          } else {
            for tap in 0..<across.count {
              unsafe sum &+= Int(weights[unchecked: start &+ tap]) &* Int(middle[unchecked: index &+ tap &* channels])
            }
          }
          target[y * newRow + x * channels + channel] = UInt8(truncatingIfNeeded: sum >> (2 * Taps.bits))
        }
      }
    }
  }

  /// Returns the frame in another format. Gray is the luminance of RGB; RGB from gray has three equal channels.
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

  /// Returns the frame with each pixel enlarged to a block of `factor` by `factor` pixels.
  public func magnified(by factor: Int) -> PixelBuffer {
    precondition(factor > 0, "the magnification factor must be positive, not \(factor)")
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

/// The resampling weights along one axis. The weights of each new pixel sum to exactly one, so that a uniform frame
/// does not change.
private struct Taps {
  /// Fraction bits of a weight.
  static let bits = 14
  /// The number of source pixels of each new pixel. Some weights may be zero.
  let count: Int
  /// The first source pixel of each new pixel.
  private(set) var firsts: [Int] = []
  /// `count` weights for each new pixel.
  private(set) var weights: [UInt16] = []

  private static let cache = Mutex<[[Int]: Taps]>([:])

  /// Returns the cached weights for a pair of sizes.
  static func between(_ old: Int, _ new: Int) -> Taps {
    cache.withLock { cache in
      if let taps = cache[[old, new]] { return taps }
      let taps = Taps(from: old, to: new)
      cache[[old, new]] = taps
      return taps
    }
  }

  private init(from old: Int, to new: Int) {
    let ratio = Double(old) / Double(new)
    let shares = (0..<new).map { index -> [(source: Int, weight: Double)] in
      if new < old {
        let (low, high) = (Double(index) * ratio, Double(index + 1) * ratio)
        let first = Int(low)
        let last = max(first, min(Int(high.rounded(.up)), old) - 1)
        return (first...last).map { ($0, (min(Double($0) + 1, high) - max(Double($0), low)) / ratio) }
      } else {
        let position = min(max((Double(index) + 0.5) * ratio - 0.5, 0), Double(old - 1))
        let first = Int(position)
        let part = position - Double(first)
        return part > 0 ? [(first, 1 - part), (first + 1, part)] : [(first, 1)]
      }
    }
    count = shares.map(\.count).max() ?? 0
    for share in shares { append(share, below: old) }
  }

  /// Appends the weights of a new pixel. The running sum is rounded, so that rounding errors do not accumulate.
  private mutating func append(_ shares: [(source: Int, weight: Double)], below end: Int) {
    let first = min(shares[0].source, end - count)
    var own = [UInt16](repeating: 0, count: count)
    var (sum, rounded) = (0.0, 0)
    for (index, share) in shares.enumerated() {
      sum += share.weight
      let next = index == shares.count - 1 ? 1 << Self.bits : Int(sum * Double(1 << Self.bits) + 0.5)
      own[share.source - first] = UInt16(next - rounded)
      rounded = next
    }
    firsts.append(first)
    weights += own
  }
}

extension Span<UInt8> {
  /// Returns whether two spans of the same length are equal. Compares all bytes, which is fast for short spans.
  fileprivate func isEqual(to other: Span<UInt8>) -> Bool {
    var difference: UInt8 = 0
    for index in indices { difference |= self[index] ^ other[index] }
    return difference == 0
  }
}
