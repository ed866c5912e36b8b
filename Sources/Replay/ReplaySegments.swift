import Core

/// The buffer in segments for checkpoints and exports: unchanged segments need not be written again.
extension ReplayBuffer {
  /// A range of slots of one lane: of its latents and transitions, or of its frames.
  public struct Segment: Sendable, Hashable {
    public let holdsFrames: Bool
    public let lane: Int
    public let index: Int
    /// Changes whenever the segment's contents may have changed.
    public let revision: Int
  }

  /// The number of slots of a segment.
  static let segmentSlots = 16_384
  static let frameSegmentSlots = 1024

  /// The data besides the segments: the buffer's sizes, the state of each lane, and the priorities, which every update
  /// may change in any slot.
  public struct Index: Sendable, Codable {
    public let layout: HistoryLayout
    public let memory: ReplayMemory
    public let laneCapacity: Int
    fileprivate let lanes: [Lane]
    fileprivate let priorities: Priorities?

    /// The size in bytes of a buffer with these sizes; nil if they are invalid.
    public var byteCount: Int? {
      let sizes = 1...1 << 31
      guard layout.isPossible, (0...1 << 31).contains(memory.frameSize), (1...1 << 16).contains(memory.frameStack),
        laneCapacity > memory.reach(layout) + 2, sizes.contains(laneCapacity),
        sizes.contains(lanes.count)
      else { return nil }
      let slots = laneCapacity.multipliedReportingOverflow(by: lanes.count)
      let bytes = slots.partialValue.multipliedReportingOverflow(
        by: memory.byteCount(layout))
      return slots.overflow || bytes.overflow ? nil : bytes.partialValue
    }
  }

  public var index: Index {
    Index(layout: layout, memory: memory, laneCapacity: laneCapacity, lanes: lanes, priorities: priorities)
  }

  /// Restores a buffer from its index and segments.
  ///
  /// - Parameters:
  ///   - limit: the maximum size of the buffer in bytes.
  ///   - bytes: returns the contents of a segment.
  /// - Throws: `InputError` if they do not fit.
  public static func restored(
    _ index: Index, limit: Int = .max, _ bytes: (Segment) throws -> [UInt8]
  ) throws -> ReplayBuffer {
    guard let size = index.byteCount, size <= limit else {
      throw InputError("a replay buffer of \(index.lanes.count) lanes of \(index.laneCapacity) is invalid or too large")
    }
    var buffer = ReplayBuffer(
      capacity: index.laneCapacity * index.lanes.count, lanes: index.lanes.count, layout: index.layout,
      memory: index.memory, isPrioritized: index.priorities != nil)
    try buffer.restore(index, bytes)
    return buffer
  }

  /// All segments that are not empty.
  public var segments: [Segment] {
    lanes.enumerated().flatMap { lane, contents in
      contents.revisions.enumerated().map { index, revision in
        Segment(holdsFrames: false, lane: lane, index: index, revision: revision)
      } + frameSegments(lane)
    }
  }

  /// A frame changes only when it is overwritten, so the newest position of a segment identifies its contents.
  private func frameSegments(_ lane: Int) -> [Segment] {
    guard memory.frameSize > 0, lanes[lane].written > 0 else { return [] }
    let (size, written) = (Self.frameSegmentSlots, lanes[lane].written)
    let held = min(written, laneCapacity)
    return (0..<(held + size - 1) / size).map { index in
      let last = min((index + 1) * size, held) - 1
      // The slots of the ring's current round come first, then those of the previous round.
      let present = (written - 1) % laneCapacity
      let newest = present / size == index ? present : last
      let round = newest <= present ? (written - 1) / laneCapacity : (written - 1) / laneCapacity - 1
      return Segment(holdsFrames: true, lane: lane, index: index, revision: round * laneCapacity + newest + 1)
    }
  }

  /// Records that a slot changed.
  mutating func touch(_ slot: Int, _ lane: Int) {
    let segment = (slot - lane * laneCapacity) / Self.segmentSlots
    if segment == lanes[lane].revisions.count { lanes[lane].revisions.append(0) }
    lanes[lane].changes += 1
    lanes[lane].revisions[segment] = lanes[lane].changes
  }

  /// The slots of a segment that have been written.
  private func slots(of segment: Segment) -> Range<Int> {
    let size = segment.holdsFrames ? Self.frameSegmentSlots : Self.segmentSlots
    let held = min(lanes[segment.lane].written, laneCapacity)
    let start = min(segment.index * size, held)
    let end = min(start + size, held)
    return segment.lane * laneCapacity + start..<segment.lane * laneCapacity + end
  }

  /// Returns the contents of a segment: latents if they are stored, actions, rewards, discounts (float32, little
  /// endian), then a byte of marks per slot; or frames, one after the other.
  public func bytes(of segment: Segment) -> [UInt8] {
    let slots = slots(of: segment)
    var bytes: [UInt8] = []
    bytes.reserveCapacity(slots.count * byteCount(ofSlotsIn: segment))
    if segment.holdsFrames {
      for slot in slots {
        frames.withFrame(at: slot) { frame in for i in 0..<frame.count { bytes.append(frame[i]) } }
      }
      return bytes
    }
    for (column, width) in columns {
      bytes.append(contentsOf: column, slots.lowerBound * width..<slots.upperBound * width)
    }
    for slot in slots { bytes.append(marks[slot].rawValue) }
    return bytes
  }

  /// The size in bytes of a slot in a segment.
  private func byteCount(ofSlotsIn segment: Segment) -> Int {
    segment.holdsFrames ? memory.frameSize : memory.byteCount(layout) - memory.frameSize
  }

  private var columns: [([Float], width: Int)] {
    [(latents, latentWidth), (actions, layout.actionSpace.arrayCount), (rewards, 1), (discounts, 1)]
  }

  private var latentWidth: Int { memory.keepsLatents ? layout.latentSize : 0 }

  /// Replaces the contents with those of another buffer of the same layout and capacity.
  ///
  /// - Parameter bytes: returns the contents of a segment; called for each of `segments`.
  /// - Throws: `InputError` if they do not fit.
  public mutating func restore(_ index: Index, _ bytes: (Segment) throws -> [UInt8]) throws {
    guard index.lanes.count == lanes.count, index.laneCapacity == laneCapacity, index.layout == layout,
      index.memory == memory
    else {
      throw InputError(
        "a replay buffer of \(lanes.count) lanes of \(laneCapacity) cannot restore one of \(index.lanes.count) lanes "
          + "of \(index.laneCapacity)")
    }
    guard index.priorities?.tree.count == priorities?.tree.count else {
      throw InputError("a replay buffer with priorities cannot restore one without, or the reverse")
    }
    for lane in index.lanes { try validate(lane) }
    (lanes, priorities) = (index.lanes, index.priorities)
    for segment in segments {
      let (slots, bytes) = (slots(of: segment), try bytes(segment))
      guard bytes.count == slots.count * byteCount(ofSlotsIn: segment) else {
        throw InputError("a segment of \(slots.count) slots of the replay buffer cannot have \(bytes.count) bytes")
      }
      if segment.holdsFrames {
        for (row, slot) in slots.enumerated() {
          frames.write(bytes.span.extracting(row * memory.frameSize..<(row + 1) * memory.frameSize), at: slot)
        }
      } else {
        try restoreRing(slots, from: bytes)
      }
    }
    try validatePriorities()
  }

  private mutating func restoreRing(_ slots: Range<Int>, from bytes: [UInt8]) throws {
    var start = 0
    func read(_ column: inout [Float], _ width: Int) {
      let range = slots.lowerBound * width..<slots.upperBound * width
      column.replace(range, from: bytes, at: start)
      start += range.count * 4
    }
    let (size, width) = (latentWidth, layout.actionSpace.arrayCount)
    read(&latents, size)
    read(&actions, width)
    read(&rewards, 1)
    read(&discounts, 1)
    for (offset, slot) in slots.enumerated() { marks[slot] = Mark(rawValue: bytes[start + offset]) }
    guard latents[slots.lowerBound * size..<slots.upperBound * size].allSatisfy(\.isFinite),
      layout.actionSpace.holds(actions[slots.lowerBound * width..<slots.upperBound * width]),
      rewards[slots].allSatisfy(\.isFinite), discounts[slots].allSatisfy(\.isFinite)
    else { throw InputError("a segment of the replay buffer contains an invalid latent, action, reward or discount") }
  }

  /// Checks that a lane read from a checkpoint can be one of this buffer.
  private func validate(_ lane: Lane) throws(InputError) {
    let segments = (min(max(lane.written, 0), laneCapacity) + Self.segmentSlots - 1) / Self.segmentSlots
    guard (0...1 << 53).contains(lane.written), (0...1 << 53).contains(lane.changes),
      lane.revisions.count == segments, lane.revisions.allSatisfy({ (0...lane.changes).contains($0) }),
      lane.written > 0 || !lane.inEpisode
    else {
      throw InputError("a lane of the replay buffer has \(lane.written) latents in \(lane.revisions.count) segments")
    }
  }

  /// The number of moments ever written to each lane, and whether an episode is running there.
  public var written: [(count: Int, inEpisode: Bool)] { lanes.map { ($0.written, $0.inEpisode) } }
}

extension [UInt8] {
  /// Appends the bytes of some values as they are in memory.
  fileprivate mutating func append(contentsOf values: [Float], _ range: Range<Int>) {
    unsafe values.withUnsafeBytes { all in
      unsafe append(contentsOf: UnsafeRawBufferPointer(rebasing: all[range.lowerBound * 4..<range.upperBound * 4]))
    }
  }
}

extension [Float] {
  /// Replaces some values with bytes as they were in memory.
  fileprivate mutating func replace(_ range: Range<Int>, from bytes: [UInt8], at start: Int) {
    unsafe withUnsafeMutableBytes { all in
      unsafe bytes.withUnsafeBytes { bytes in
        let source = unsafe UnsafeRawBufferPointer(rebasing: bytes[start..<start + range.count * 4])
        unsafe UnsafeMutableRawBufferPointer(rebasing: all[range.lowerBound * 4..<range.upperBound * 4])
          .copyMemory(from: source)
      }
    }
  }
}
