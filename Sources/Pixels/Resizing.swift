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
  /// - Parameters:
  ///   - source: `[height, width, channels]`
  ///   - shown: the picture that this frame was filled with last, if it is known: only what differs from it is done.
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
    // A row between the two passes, [W, C] with `Taps.bits` fraction bits.
    var tall = [Int32](repeating: 0, count: row)
    var target = bytes.mutableSpan
    let newRow = newWidth * channels
    // The last row so far that differs from the one above it, and the last that differs from what was shown.
    var (lastChange, seen) = (0, 0)
    var (lastNews, compared) = (-1, -1)
    for y in 0..<newHeight {
      let first = down.firsts[y]
      if let shown, shown.count == source.count {
        while compared + 1 < first + down.count {
          compared += 1
          let line = compared * row..<(compared + 1) * row
          if !shown.span.extracting(line).holdsTheSame(as: source.extracting(line)) { lastNews = compared }
        }
        if lastNews < first { continue }
      }
      while seen + 1 < first + down.count {
        seen += 1
        let (above, line) = (
          source.extracting((seen - 1) * row..<seen * row), source.extracting(seen * row..<(seen + 1) * row)
        )
        if !above.holdsTheSame(as: line) { lastChange = seen }
      }
      // Plain from the last one's top on: backgrounds, walls and paddles have many such rows.
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
          // Within bounds, as Taps are made.
          let (start, place) = (x &* across.count, unsafe firsts[unchecked: x] &* channels &+ channel)
          var sum = 1 << (2 * Taps.bits - 1)  // half, to round
          if across.count == 3 {
            // The loop below, unrolled, for the most frequent.
            unsafe sum &+=
              Int(weights[unchecked: start]) &* Int(middle[unchecked: place])
              &+ Int(weights[unchecked: start &+ 1]) &* Int(middle[unchecked: place &+ channels])
              &+ Int(weights[unchecked: start &+ 2]) &* Int(middle[unchecked: place &+ 2 &* channels])
          } else {
            for tap in 0..<across.count {
              unsafe sum &+= Int(weights[unchecked: start &+ tap]) &* Int(middle[unchecked: place &+ tap &* channels])
            }
          }
          target[y * newRow + x * channels + channel] = UInt8(truncatingIfNeeded: sum >> (2 * Taps.bits))
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
  /// Fraction bits of a weight.
  static let bits = 14
  /// How many neighbours each new pixel takes; some weigh nothing.
  let count: Int
  /// The first of them, for each new pixel.
  private(set) var firsts: [Int] = []
  /// `count` for each new pixel.
  private(set) var weights: [UInt16] = []

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

  private init(from old: Int, to new: Int) {
    let ratio = Double(old) / Double(new)
    let shares = (0..<new).map { index -> [(source: Int, weight: Double)] in
      if new < old {
        let (low, high) = (Double(index) * ratio, Double(index + 1) * ratio)
        let first = Int(low)
        let last = max(first, min(Int(high.rounded(.up)), old) - 1)
        return (first...last).map { ($0, (min(Double($0) + 1, high) - max(Double($0), low)) / ratio) }
      } else {
        let place = min(max((Double(index) + 0.5) * ratio - 0.5, 0), Double(old - 1))
        let first = Int(place)
        let part = place - Double(first)
        return part > 0 ? [(first, 1 - part), (first + 1, part)] : [(first, 1)]
      }
    }
    count = shares.map(\.count).max() ?? 0
    for share in shares { append(share, below: old) }
  }

  /// Rounds the running sum, so that rounding errors never add up.
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
  /// Whether another of the same length holds the same. Looks at all of it, which is quick where it is short.
  fileprivate func holdsTheSame(as other: Span<UInt8>) -> Bool {
    var difference: UInt8 = 0
    for index in indices { difference |= self[index] ^ other[index] }
    return difference == 0
  }
}
