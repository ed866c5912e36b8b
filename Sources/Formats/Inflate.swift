import CZlib
import Core

/// Decompresses DEFLATE data (RFC 1951) with zlib, as in the files of `numpy.savez_compressed`.
///
/// - Parameters:
///   - size: the size of the whole result in bytes, which the archive states.
///   - limit: the number of bytes to return at least, if only the beginning is needed; nil for all.
/// - Throws: `InputError` with the reason, without the path.
func inflated(_ data: RawSpan, size: Int, limit: Int? = nil) throws -> [UInt8] {
  // No code is shorter than a bit, and none stands for more than 258 bytes: reject the rest before it takes memory.
  guard size <= 8 * 258 * (data.byteCount + 1) else {
    throw InputError("is damaged: \(data.byteCount) compressed bytes cannot have a content of \(size)")
  }
  let wanted = min(limit ?? size, size)
  var stream = unsafe z_stream()
  // -15: without the header of zlib's own format.
  guard unsafe inflateInit2_(&stream, -15, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size)) == Z_OK else {
    throw InputError("cannot be read: there is no memory to decompress it")
  }
  defer { _ = unsafe inflateEnd(&stream) }
  // One byte more than stated, to see whether there are more.
  var output = [UInt8](repeating: 0, count: limit == nil ? size + 1 : max(wanted, 1))
  var (read, written, status) = (0, 0, Z_OK)
  unsafe data.withUnsafeBytes { source in
    unsafe output.withUnsafeMutableBytes { target in
      repeat {
        // zlib counts with 32 bits.
        let (given, room) = (min(source.count - read, 1 << 30), min(target.count - written, 1 << 30))
        unsafe stream.next_in = UnsafeMutablePointer(
          mutating: source.baseAddress.map { unsafe ($0 + read).assumingMemoryBound(to: UInt8.self) })
        unsafe stream.next_out = target.baseAddress.map { unsafe ($0 + written).assumingMemoryBound(to: UInt8.self) }
        unsafe (stream.avail_in, stream.avail_out) = (UInt32(given), UInt32(room))
        status = unsafe inflate(&stream, Z_NO_FLUSH)
        read += unsafe given - Int(stream.avail_in)
        written += unsafe room - Int(stream.avail_out)
      } while status == Z_OK && written < target.count
    }
  }
  let isWhole = status == Z_STREAM_END && written == size
  guard isWhole || (limit != nil && status == Z_OK && written >= wanted) else {
    throw InputError("is damaged: its compressed data is not valid")
  }
  return Array(output.prefix(written))
}
