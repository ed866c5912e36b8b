import Core
import Formats

/// Writes an animated PNG (APNG, part of the third edition of PNG) frame by frame. Browsers play it in an endless loop;
/// readers without APNG support show the first frame.
///
/// Only the last frame is kept in memory, and only the rectangle that changed is written. `finish` creates the file;
/// without it no file is left.
public struct AnimatedPNG: ~Copyable {
  private var file: AtomicFile
  private var encoder: AnimationEncoder

  /// Opens an animation for writing.
  ///
  /// - Parameter framesPerSecond: 0.02 to 1000.
  /// - Throws: `WorldError` with the path.
  public init(path: String, framesPerSecond: Double, text: [String: String] = [:]) throws {
    encoder = AnimationEncoder(framesPerSecond: framesPerSecond, text: text)
    file = try AtomicFile(path: path)
  }

  /// Compresses and writes the next frame. All frames must have the same size and format.
  public mutating func append(_ frame: PixelBuffer) throws { try file.append(encoder.append(frame)) }

  /// Completes the file and renames it to its final name. At least one frame must have been appended.
  public consuming func finish() throws {
    try file.append(encoder.end)
    try file.overwrite(encoder.control, at: AnimationEncoder.controlOffset)
    try file.commit()
  }

  /// Writes an animation atomically.
  public static func write(
    _ frames: some Sequence<PixelBuffer>, to path: String, framesPerSecond: Double, text: [String: String] = [:]
  ) throws {
    var animation = try AnimatedPNG(path: path, framesPerSecond: framesPerSecond, text: text)
    for frame in frames { try animation.append(frame) }
    try animation.finish()
  }

  /// Returns whether a file is an animated PNG: one with the chunk `acTL` before its first image.
  ///
  /// - Throws: `WorldError` with the path if the file cannot be read.
  public static func isAnimated(_ path: String) throws -> Bool {
    try MappedFile(path: path).withBytes { bytes in
      func number(at offset: Int) -> UInt32 {
        unsafe UInt32(bigEndian: bytes.unsafeLoadUnaligned(fromByteOffset: offset, as: UInt32.self))
      }
      // Each chunk has its length, its type, so many bytes, and a checksum.
      var position = PNGChunk.signature.count
      while position + 12 <= bytes.byteCount {
        switch number(at: position + 4) {
        case 0x6163_544c: return true  // acTL
        case 0x4944_4154: return false  // IDAT
        default: position += 12 + Int(number(at: position))
        }
      }
      return false
    }
  }

  /// Returns the bytes of an animation. `body` receives a function that appends a frame, and must call it at least
  /// once.
  public static func encode(
    framesPerSecond: Double, text: [String: String] = [:], _ body: ((PixelBuffer) throws -> Void) throws -> Void
  ) throws -> [UInt8] {
    var encoder = AnimationEncoder(framesPerSecond: framesPerSecond, text: text)
    var bytes: [UInt8] = []
    try body { bytes += try encoder.append($0) }
    bytes += encoder.end
    let control = encoder.control
    let start = AnimationEncoder.controlOffset
    bytes.replaceSubrange(start..<start + control.count, with: control)
    return bytes
  }
}

/// Encodes the parts of an animation's file, in order.
private struct AnimationEncoder {
  private let text: [String: String]
  private let delay: (numerator: UInt16, denominator: UInt16)
  private var last: PixelBuffer?
  private var frames: UInt32 = 0
  /// The sequence number of the next fcTL or fdAT chunk, which share one counter.
  private var sequence: UInt32 = 0

  /// The offset of the acTL chunk, after the signature (8 bytes) and IHDR (25). It is rewritten when the frame count is
  /// known.
  static let controlOffset = 33

  init(framesPerSecond: Double, text: [String: String]) {
    precondition(
      (0.02...1000).contains(framesPerSecond), "framesPerSecond must be from 0.02 to 1000, not \(framesPerSecond)"
    )
    let whole = framesPerSecond.rounded()
    delay = whole == framesPerSecond ? (1, UInt16(whole)) : (UInt16((1000 / framesPerSecond).rounded()), 1000)
    self.text = text
  }

  /// Returns the chunks of the next frame.
  mutating func append(_ frame: PixelBuffer) throws -> [UInt8] {
    guard let last else {
      let bytes = try start(with: frame)
      self.last = frame
      return bytes
    }
    precondition(
      frame.width == last.width && frame.height == last.height && frame.format == last.format,
      "a \(frame.width)x\(frame.height) \(frame.format) frame cannot follow one of "
        + "\(last.width)x\(last.height) \(last.format)")
    let changed = frame.rectangle(changedFrom: last)
    var bytes = frameControl(changed).bytes
    for chunk in PNGChunk.all(of: try PNG.encode(frame.cropped(to: changed))) where chunk.type == "IDAT" {
      bytes += PNGChunk(type: "fdAT", data: bigEndian(sequence) + chunk.data).bytes
      sequence += 1
    }
    frames += 1
    self.last = frame
    return bytes
  }

  /// The end of the file.
  var end: [UInt8] {
    precondition(frames > 0, "an animation must have at least one frame")
    return PNGChunk(type: "IEND", data: []).bytes
  }

  private mutating func start(with frame: PixelBuffer) throws -> [UInt8] {
    var bytes = PNGChunk.signature
    var control: PNGChunk? = frameControl(Rectangle(x: 0, y: 0, width: frame.width, height: frame.height))
    for chunk in PNGChunk.all(of: try PNG.encode(frame, text: text)) where chunk.type != "IEND" {
      if chunk.type == "IDAT", let first = control {
        bytes += first.bytes
        control = nil
      }
      bytes += chunk.bytes
      if chunk.type == "IHDR" { bytes += self.control }
    }
    frames = 1
    return bytes
  }

  /// The acTL chunk, with the number of frames so far.
  var control: [UInt8] {
    let plays: UInt32 = 0  // endless loop
    return PNGChunk(type: "acTL", data: bigEndian(frames) + bigEndian(plays)).bytes
  }

  private mutating func frameControl(_ part: Rectangle) -> PNGChunk {
    var data = bigEndian(sequence)
    for value in [part.width, part.height, part.x, part.y] { data += bigEndian(UInt32(value)) }
    data += bigEndian(delay.numerator) + bigEndian(delay.denominator)
    data += [0, 0]  // keep the frame for the next one; overwrite without blending
    sequence += 1
    return PNGChunk(type: "fcTL", data: data)
  }
}

/// A rectangle of a frame, in pixels from its upper left corner.
struct Rectangle: Hashable {
  var x: Int
  var y: Int
  var width: Int
  var height: Int
}

extension PixelBuffer {
  /// Returns the smallest rectangle that contains all differences, or one pixel if the frames are equal.
  func rectangle(changedFrom other: PixelBuffer) -> Rectangle {
    var (left, right, top, bottom) = (width, -1, height, -1)
    for y in 0..<height {
      let row = y * stride..<(y + 1) * stride
      guard let first = row.first(where: { bytes[$0] != other.bytes[$0] }),
        let last = row.last(where: { bytes[$0] != other.bytes[$0] })
      else { continue }
      left = min(left, (first - row.lowerBound) / channels)
      right = max(right, (last - row.lowerBound) / channels)
      top = min(top, y)
      bottom = y
    }
    guard bottom >= 0 else { return Rectangle(x: 0, y: 0, width: 1, height: 1) }
    return Rectangle(x: left, y: top, width: right - left + 1, height: bottom - top + 1)
  }

  func cropped(to part: Rectangle) -> PixelBuffer {
    var result = PixelBuffer(width: part.width, height: part.height, format: format)
    for y in 0..<part.height {
      let start = (part.y + y) * stride + part.x * channels
      result.bytes.replaceSubrange(
        y * result.stride..<(y + 1) * result.stride, with: bytes[start..<start + result.stride])
    }
    return result
  }
}
