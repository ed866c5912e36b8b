/// Returns the bytes of a word in little-endian order.
public func littleEndian<Word: FixedWidthInteger>(_ word: Word) -> [UInt8] {
  (0..<Word.bitWidth / 8).map { UInt8(truncatingIfNeeded: word >> Word($0 * 8)) }
}

/// Returns the bytes of a word in big-endian order.
public func bigEndian<Word: FixedWidthInteger>(_ word: Word) -> [UInt8] { littleEndian(word.byteSwapped) }

extension RawSpan {
  /// Reads a little-endian word at an offset, which may be unaligned.
  @inlinable
  public func word<Word: FixedWidthInteger & BitwiseCopyable>(_ type: Word.Type, at offset: Int) -> Word {
    precondition(offset >= 0 && offset <= byteCount - MemoryLayout<Word>.size, "byte \(offset) is not in \(byteCount)")
    return unsafe Word(littleEndian: unsafeLoadUnaligned(fromByteOffset: offset, as: Word.self))
  }
}
