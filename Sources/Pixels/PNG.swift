import CPNG
import Core
import Formats

/// Reads and writes PNG with libpng. It writes 8-bit gray and RGB, and reads every kind of PNG.
public enum PNG {
  /// A decoded file: the frame and its text chunks.
  public struct Picture: Sendable, Hashable {
    public var frame: PixelBuffer
    public var text: [String: String]
  }

  /// The default limit on the number of pixels of a file.
  public static let defaultLimit = 64 << 20

  /// The versions of the linked libraries.
  public static var libraryVersions: (png: String, zlib: String) {
    unsafe (String(cString: png_get_libpng_ver(nil)), String(cString: zlibVersion()))
  }

  /// Returns the bytes of a PNG file. The output is deterministic.
  ///
  /// - Parameters:
  ///   - text: text chunks by keyword (1 to 79 printable ASCII characters), such as the run and the step.
  ///   - level: zlib's compression level, 0 (none) to 9 (smallest).
  public static func encode(_ frame: PixelBuffer, text: [String: String] = [:], level: Int = 6) throws -> [UInt8] {
    var writer = unsafe shim_writer()
    defer { unsafe shim_write_end(&writer) }
    var good = unsafe shim_write_start(
      &writer, UInt32(frame.width), UInt32(frame.height), Int32(frame.channels), Int32(level))
    for (key, value) in text.sorted(by: { $0.key < $1.key }) where good != 0 {
      precondition(isKeyword(key), "a PNG keyword must have 1 to 79 printable ASCII characters: '\(key)'")
      let isASCII = value.utf8.allSatisfy { $0 < 128 }
      good = unsafe shim_write_text(&writer, key, value, isASCII ? 0 : 1)
    }
    if good != 0 {
      good = unsafe frame.bytes.withUnsafeBufferPointer { unsafe shim_write_rows(&writer, $0.baseAddress!) }
    }
    guard good != 0 else { throw WorldError("cannot write PNG: \(unsafe reason(&writer.message))") }
    return unsafe [UInt8](UnsafeBufferPointer(start: writer.bytes, count: writer.count))
  }

  /// Decodes a PNG file. Gray stays gray, palettes are converted to RGB and 16 bits to 8, and transparent pixels are
  /// blended with black.
  ///
  /// - Throws: `InputError` with libpng's reason if the file is not a complete, intact PNG or has more than `limit`
  ///   pixels, which is checked before memory is allocated.
  public static func decode(_ bytes: [UInt8], limit: Int = defaultLimit) throws -> Picture {
    do { try PNGChunk.checkLengths(in: bytes) } catch { throw InputError("not a readable PNG: \(error)") }
    return try unsafe bytes.withUnsafeBufferPointer { source in
      var reader = unsafe shim_reader()
      defer { unsafe shim_read_end(&reader) }
      guard unsafe shim_read_start(&reader, source.baseAddress, source.count, UInt64(limit)) != 0 else {
        throw InputError("not a readable PNG: \(unsafe reason(&reader.message))")
      }
      var frame = unsafe PixelBuffer(
        width: Int(reader.width), height: Int(reader.height), format: reader.channels == 1 ? .gray : .rgb)
      let good = unsafe frame.bytes.withUnsafeMutableBufferPointer { unsafe shim_read_rows(&reader, $0.baseAddress!) }
      guard good != 0 else { throw InputError("not a readable PNG: \(unsafe reason(&reader.message))") }
      return unsafe Picture(frame: frame, text: text(of: reader))
    }
  }

  /// Writes a PNG file atomically.
  ///
  /// - Throws: `WorldError` with the path.
  public static func write(
    _ frame: PixelBuffer, to path: String, text: [String: String] = [:], level: Int = 6
  ) throws {
    try writeAtomically(encode(frame, text: text, level: level), to: path)
  }

  /// Reads a PNG file.
  ///
  /// - Throws: `WorldError` with the path if the file cannot be read or is not an intact PNG.
  public static func read(_ path: String, limit: Int = defaultLimit) throws -> Picture {
    // An uncompressed frame needs at most 8 bytes per pixel. The rest is for other chunks.
    let bytes = try readBytes(from: path, limit: 8 * min(limit, 1 << 40) + 1 << 24)
    do { return try decode(bytes, limit: limit) } catch let error as InputError {
      throw WorldError(path: path, error.description)
    }
  }

  private static func isKeyword(_ key: String) -> Bool {
    (1...79).contains(key.utf8.count) && key.utf8.allSatisfy { (32...126).contains($0) }
      && !key.hasPrefix(" ") && !key.hasSuffix(" ") && !key.contains("  ")
  }

  private static func text(of reader: shim_reader) -> [String: String] {
    var text: [String: String] = [:]
    unsafe withUnsafePointer(to: reader) { reader in
      for index in unsafe 0..<shim_text_count(reader) {
        var (key, value): (UnsafePointer<CChar>?, UnsafePointer<CChar>?) = (nil, nil)
        let isUTF8 = unsafe shim_text(reader, index, &key, &value) != 0
        // Keywords are Latin-1 in every kind of chunk.
        guard let key = unsafe key, let value = unsafe value else { continue }
        unsafe text[latin1(key)] = isUTF8 ? String(cString: value) : latin1(value)
      }
    }
    return text
  }

  private static func latin1(_ characters: UnsafePointer<CChar>) -> String {
    var string = ""
    var next = unsafe characters
    while unsafe next.pointee != 0 {
      unsafe string.unicodeScalars.append(Unicode.Scalar(UInt8(bitPattern: next.pointee)))
      unsafe next += 1
    }
    return string
  }

  /// Returns libpng's message from the fixed-size character array of the shim.
  private static func reason<Characters>(_ message: inout Characters) -> String {
    unsafe withUnsafeBytes(of: &message) { unsafe String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
  }
}
