/// Stores frames as bytes, one per slot. A frame is stored once, even if it is part of several histories.
///
/// Blocks are allocated when they are first written. A copy shares all blocks until one of the two writes, so copying
/// the whole memory to read from it costs only a list.
public struct FrameMemory: Sendable {
  /// Bytes of a frame.
  public let frameSize: Int
  /// Blocks of `blockSlots` frames each; empty until the first write.
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

  /// Calls `body` with the bytes of a slot, which must have been written.
  @inline(__always)
  public func withFrame<Result>(at slot: Int, _ body: (Span<UInt8>) throws -> Result) rethrows -> Result {
    let (block, start) = (slot / Self.blockSlots, slot % Self.blockSlots * frameSize)
    let bytes = blocks[block]
    return try body(bytes.span.extracting(start..<start + frameSize))
  }
}
