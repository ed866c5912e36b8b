import Core

/// Chooses the frames of a batch uniformly, or half of them in proportion to the motion in them or to their last
/// reconstruction error (Kauvar et al. 2023, Curious Replay, arXiv 2306.15934, in its simplest form).
struct FrameSampler: Sendable, Codable {
  private let sampling: FrameSampling
  /// The frames that can be drawn: those with enough earlier frames of their episode.
  private let candidates: [Int]
  /// Running sums of the candidates' weights.
  private var cumulative: [Double] = []
  /// The weights of all frames.
  private var weights: [Double] = []
  private var notes = 0

  /// - Parameter past: the number of frames of the same episode that must precede a frame.
  init(_ sampling: FrameSampling, _ recording: some RecordedFrames, past: Int = 0) {
    self.sampling = sampling
    let episodes = recording.episodes
    candidates = episodes.indices.filter { $0 >= past && episodes[$0 - past] == episodes[$0] }
    precondition(!candidates.isEmpty, "no episode has more than \(past) frames")
    switch sampling {
    case .uniform: break
    case .motion: weights = FrameSampler.motion(recording)
    case .error:
      // Frames without an error yet are drawn by the uniform half.
      weights = [Double](repeating: 0, count: recording.count)
    }
    accumulate()
  }

  mutating func sample(_ batch: Int, using random: inout Random) -> [Int] {
    (0..<batch).map { b in
      guard sampling != .uniform, b % 2 == 1, let total = cumulative.last, total > 0 else {
        return candidates[random.integer(below: candidates.count)]
      }
      return candidates[firstIndex(above: random.uniform(0, total))]
    }
  }

  /// Records the reconstruction error of each frame of a batch, if the sampling uses it.
  mutating func note(_ indices: [Int], errors: () -> [Double]) {
    guard sampling == .error else { return }
    for (index, error) in zip(indices, errors()) { weights[index] = error }
    notes += 1
    if notes % 20 == 0 { accumulate() }
  }

  private mutating func accumulate() {
    guard sampling != .uniform else { return }
    var sum = 0.0
    cumulative = candidates.map {
      sum += weights[$0]
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

  /// The fraction of bytes that differ from the previous frame.
  private static func motion(_ recording: some RecordedFrames) -> [Double] {
    let size = recording.frameSize
    return (0..<recording.count).map { index in
      guard index > 0, recording.episodes[index] == recording.episodes[index - 1] else { return 0 }
      let changed = recording.withFrame(index) { frame in
        recording.withFrame(index - 1) { before in
          var changed = 0
          for i in 0..<size {
            let (a, b) = (frame[i], before[i])
            if (a > b ? a - b : b - a) > 8 { changed += 1 }
          }
          return changed
        }
      }
      return Double(changed) / Double(size)
    }
  }
}
