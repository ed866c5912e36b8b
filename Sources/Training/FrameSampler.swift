import Core

/// Chooses the frames of a batch: uniformly, or half of them by how much moves there or how badly they were drawn when
/// last seen (Kauvar et al. 2023, Curious Replay, arXiv 2306.15934, in its simplest form).
struct FrameSampler: Sendable, Codable {
  private let sampling: FrameSampling
  private let count: Int
  /// Running sums of the frames' weights.
  private var cumulative: [Double] = []
  private var weights: [Double] = []
  private var notes = 0

  init(_ sampling: FrameSampling, _ recording: Recording) {
    self.sampling = sampling
    count = recording.count
    switch sampling {
    case .uniform: break
    case .motion: weights = FrameSampler.motion(recording)
    case .error: weights = [Double](repeating: 0, count: count)  // the uniform half finds what was not seen yet
    }
    accumulate()
  }

  mutating func sample(_ batch: Int, using random: inout Random) -> [Int] {
    (0..<batch).map { b in
      guard sampling != .uniform, b % 2 == 1, let total = cumulative.last, total > 0 else {
        return random.integer(below: count)
      }
      return firstIndex(above: random.uniform(0, total))
    }
  }

  /// Tells how badly each frame of a batch was drawn, if that is of interest.
  mutating func note(_ indices: [Int], errors: () -> [Double]) {
    guard sampling == .error else { return }
    for (index, error) in zip(indices, errors()) { weights[index] = error }
    notes += 1
    if notes % 20 == 0 { accumulate() }
  }

  private mutating func accumulate() {
    var sum = 0.0
    cumulative = weights.map {
      sum += $0
      return sum
    }
  }

  private func firstIndex(above target: Double) -> Int {
    var (low, high) = (0, cumulative.count - 1)
    while low < high {
      let middle = (low + high) / 2
      if cumulative[middle] > target { high = middle } else { low = middle + 1 }
    }
    return low
  }

  /// The share of bytes that differ from the frame before.
  private static func motion(_ recording: Recording) -> [Double] {
    let size = recording.frameSize
    let frames = recording.frames.span
    return (0..<recording.count).map { index in
      guard index > 0, recording.episodes[index] == recording.episodes[index - 1] else { return 0 }
      var changed = 0
      for i in 0..<size {
        let (a, b) = (frames[index * size + i], frames[(index - 1) * size + i])
        if (a > b ? a - b : b - a) > 8 { changed += 1 }
      }
      return Double(changed) / Double(size)
    }
  }
}
