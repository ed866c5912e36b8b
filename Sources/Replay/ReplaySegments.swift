import Core

/// The ring in pieces for checkpoints and exports: what has not changed since the last time need not be written again.
extension ReplayBuffer {
  /// A run of slots of one lane.
  public struct Segment: Sendable, Hashable {
    public let lane: Int
    public let index: Int
    /// Differs whenever the segment's contents may differ.
    public let revision: Int
  }

  /// Slots of a segment.
  static let segmentSlots = 16_384

  /// What is known beside the segments: the buffer's form, and how far each lane was written,
  /// and the priorities, which any update changes anywhere.
  public struct Index: Sendable, Codable {
    public let layout: HistoryLayout
    public let laneCapacity: Int
    fileprivate let lanes: [Lane]
    fileprivate let priorities: Priorities?

    /// Bytes that a buffer of this form takes; nil where it is the form of none.
    public var byteCount: Int? {
      let sizes = 1...1 << 31
      guard layout.isPossible, laneCapacity > layout.reach + 2, sizes.contains(laneCapacity),
        sizes.contains(lanes.count)
      else { return nil }
      let slots = laneCapacity.multipliedReportingOverflow(by: lanes.count)
      let bytes = slots.partialValue.multipliedReportingOverflow(
        by: ReplayBuffer.byteCount(capacity: 1, layout: layout))
      return slots.overflow || bytes.overflow ? nil : bytes.partialValue
    }
  }

  public var index: Index {
    Index(layout: layout, laneCapacity: laneCapacity, lanes: lanes, priorities: priorities)
  }

  /// A buffer as another one was.
  ///
  /// - Parameter bytes: of each of the segments that it had.
  /// - Parameter limit: bytes that the buffer may take.
  /// - Throws: `InputError` where they do not fit.
  public static func restored(
    _ index: Index, limit: Int = .max, _ bytes: (Segment) throws -> [UInt8]
  ) throws -> ReplayBuffer {
    guard let size = index.byteCount, size <= limit else {
      throw InputError("a replay buffer of \(index.lanes.count) lanes of \(index.laneCapacity) is none, or too large")
    }
    var buffer = ReplayBuffer(
      capacity: index.laneCapacity * index.lanes.count, lanes: index.lanes.count, layout: index.layout,
      isPrioritized: index.priorities != nil)
    try buffer.restore(index, bytes)
    return buffer
  }

  /// All segments that hold anything.
  public var segments: [Segment] {
    lanes.enumerated().flatMap { lane, contents in
      contents.revisions.enumerated().map { index, revision in
        Segment(lane: lane, index: index, revision: revision)
      }
    }
  }

  /// Notes that a slot changed.
  mutating func touch(_ slot: Int, _ lane: Int) {
    let segment = (slot - lane * laneCapacity) / Self.segmentSlots
    if segment == lanes[lane].revisions.count { lanes[lane].revisions.append(0) }
    lanes[lane].changes += 1
    lanes[lane].revisions[segment] = lanes[lane].changes
  }

  /// The slots of a segment that were written.
  private func slots(of lane: Int, _ index: Int) -> Range<Int> {
    let held = min(lanes[lane].written, laneCapacity)
    let start = min(index * Self.segmentSlots, held)
    let end = min(start + Self.segmentSlots, held)
    return lane * laneCapacity + start..<lane * laneCapacity + end
  }

  /// The contents of a segment: latents, actions, rewards, discounts (float32, little endian), then a byte of marks for each
  /// slot.
  public func bytes(of segment: Segment) -> [UInt8] {
    let slots = slots(of: segment.lane, segment.index)
    var bytes: [UInt8] = []
    bytes.reserveCapacity(slots.count * Self.byteCount(capacity: 1, layout: layout))
    for (column, width) in columns {
      bytes.append(contentsOf: column, slots.lowerBound * width..<slots.upperBound * width)
    }
    for slot in slots { bytes.append(marks[slot].rawValue) }
    return bytes
  }

  private var columns: [([Float], width: Int)] {
    [(latents, layout.latentSize), (actions, layout.actionSpace.arrayCount), (rewards, 1), (discounts, 1)]
  }

  /// Takes the contents that another buffer of the same layout and capacity had.
  ///
  /// - Parameter bytes: of each of the segments that `segments` then lists.
  /// - Throws: `InputError` where they do not fit.
  public mutating func restore(_ index: Index, _ bytes: (Segment) throws -> [UInt8]) throws {
    guard index.lanes.count == lanes.count, index.laneCapacity == laneCapacity, index.layout == layout else {
      throw InputError(
        "a replay buffer of \(lanes.count) lanes of \(laneCapacity) cannot take one of \(index.lanes.count) lanes of "
          + "\(index.laneCapacity)")
    }
    guard index.priorities?.tree.count == priorities?.tree.count else {
      throw InputError("a replay buffer that draws by priority and one that does not cannot take each other's contents")
    }
    for lane in index.lanes { if let complaint = complaint(about: lane) { throw InputError(complaint) } }
    (lanes, priorities) = (index.lanes, index.priorities)
    for segment in segments {
      let slots = slots(of: segment.lane, segment.index)
      let bytes = try bytes(segment)
      guard bytes.count == slots.count * Self.byteCount(capacity: 1, layout: layout) else {
        throw InputError("a segment of \(slots.count) slots of the replay buffer cannot be \(bytes.count) bytes")
      }
      var start = 0
      func read(_ column: inout [Float], _ width: Int) {
        let range = slots.lowerBound * width..<slots.upperBound * width
        column.replace(range, from: bytes, at: start)
        start += range.count * 4
      }
      read(&latents, layout.latentSize)
      read(&actions, layout.actionSpace.arrayCount)
      read(&rewards, 1)
      read(&discounts, 1)
      for (offset, slot) in slots.enumerated() { marks[slot] = Mark(rawValue: bytes[start + offset]) }
      let width = layout.actionSpace.arrayCount
      guard latents[slots.lowerBound * layout.latentSize..<slots.upperBound * layout.latentSize].allSatisfy(\.isFinite),
        layout.actionSpace.holds(actions[slots.lowerBound * width..<slots.upperBound * width]),
        rewards[slots].allSatisfy(\.isFinite), discounts[slots].allSatisfy(\.isFinite)
      else { throw InputError("a segment of the replay buffer holds what is no latent, action, reward or discount") }
    }
    if let complaint = complaintAboutPriorities() { throw InputError(complaint) }
  }

  /// Says what keeps a lane that was stored from being one of this buffer, or nothing.
  private func complaint(about lane: Lane) -> String? {
    let segments = (min(max(lane.written, 0), laneCapacity) + Self.segmentSlots - 1) / Self.segmentSlots
    guard (0...1 << 53).contains(lane.written), (0...1 << 53).contains(lane.changes),
      lane.revisions.count == segments, lane.revisions.allSatisfy({ (0...lane.changes).contains($0) }),
      lane.written > 0 || !lane.inEpisode
    else { return "a lane of the replay buffer has \(lane.written) latents in \(lane.revisions.count) segments" }
    return nil
  }

  /// Latents that were ever written to each lane, and whether an episode goes on there.
  public var written: [(count: Int, inEpisode: Bool)] { lanes.map { ($0.written, $0.inEpisode) } }
}

extension [UInt8] {
  /// Adds the bytes of some numbers as they lie in memory.
  fileprivate mutating func append(contentsOf numbers: [Float], _ range: Range<Int>) {
    unsafe numbers.withUnsafeBytes { all in
      unsafe append(contentsOf: UnsafeRawBufferPointer(rebasing: all[range.lowerBound * 4..<range.upperBound * 4]))
    }
  }
}

extension [Float] {
  /// Replaces some numbers by bytes as they lay in memory.
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
