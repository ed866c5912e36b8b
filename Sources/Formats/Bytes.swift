/// The bytes of a word, the lowest first.
public func littleEndian<Word: FixedWidthInteger>(_ word: Word) -> [UInt8] {
  (0..<Word.bitWidth / 8).map { UInt8(truncatingIfNeeded: word >> Word($0 * 8)) }
}

/// The bytes of a word, the highest first.
public func bigEndian<Word: FixedWidthInteger>(_ word: Word) -> [UInt8] { littleEndian(word.byteSwapped) }

extension RawSpan {
  /// A little-endian word at a place that need not be a multiple of its size.
  @inlinable
  public func word<Word: FixedWidthInteger & BitwiseCopyable>(_ type: Word.Type, at offset: Int) -> Word {
    precondition(offset >= 0 && offset <= byteCount - MemoryLayout<Word>.size, "byte \(offset) is beyond \(byteCount)")
    return unsafe Word(littleEndian: unsafeLoadUnaligned(fromByteOffset: offset, as: Word.self))
  }
}
