/// Frames as bytes, a slot each: a frame is stored once, however many histories it is part of.
///
/// Memory is taken in blocks as they are written to first. A copy shares all blocks until one of the two writes, so that
/// a reader of many frames can hold the whole memory at the cost of a list.
public struct FrameMemory: Sendable {
  /// Bytes of a frame.
  public let frameSize: Int
  /// Each of `blockSlots` frames, or empty where nothing was written yet.
  private var blocks: [[UInt8]]

  private static let blockSlots = 256

  public init(frameSize: Int, slots: Int) {
    self.frameSize = frameSize
    blocks = [[UInt8]](repeating: [], count: frameSize == 0 ? 0 : (slots + Self.blockSlots - 1) / Self.blockSlots)
  }

  public var isEmpty: Bool { frameSize == 0 }

  mutating func write(_ frame: Span<UInt8>, at slot: Int) {
    precondition(frame.count == frameSize, "a frame has \(frameSize) bytes, not \(frame.count)")
    let (block, start) = (slot / Self.blockSlots, slot % Self.blockSlots * frameSize)
    if blocks[block].isEmpty { blocks[block] = [UInt8](repeating: 0, count: Self.blockSlots * frameSize) }
    var target = blocks[block].mutableSpan
    for i in 0..<frameSize { target[start + i] = frame[i] }
  }

  /// Calls `body` with the bytes of a slot that was written.
  @inline(__always)
  public func withFrame<Result>(at slot: Int, _ body: (Span<UInt8>) throws -> Result) rethrows -> Result {
    let (block, start) = (slot / Self.blockSlots, slot % Self.blockSlots * frameSize)
    let bytes = blocks[block]
    return try body(bytes.span.extracting(start..<start + frameSize))
  }
}
