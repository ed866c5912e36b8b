import Core
import Formats
import Foundation
import Testing

@testable import Pixels

@Suite struct PNGTests {
  static func scene(_ format: PixelFormat, width: Int = 24, height: Int = 16) -> PixelBuffer {
    var frame = PixelBuffer(width: width, height: height, format: format)
    frame.draw { canvas in
      canvas.gradient(top: .blue, bottom: .white)
      canvas.circle(center: Point(10, 8), radius: 5, .red)
    }
    return frame
  }

  @Test(arguments: PixelFormat.allCases)
  func framesAndTextRoundTrip(format: PixelFormat) throws {
    let text = ["run": "cartpole-1", "step": "12000", "note": "größer ≥ 5", "empty": ""]
    let frame = Self.scene(format)
    let bytes = try PNG.encode(frame, text: text)
    let picture = try PNG.decode(bytes)
    #expect(picture.frame == frame)
    #expect(picture.text == text)
    #expect(try PNG.encode(frame, text: text) == bytes)
    #expect(try PNG.decode(PNG.encode(frame, level: 0)).frame == frame)
  }

  @Test(arguments: HandmadePNG.Kind.allCases, [false, true])
  func everyKindIsRead(kind: HandmadePNG.Kind, isInterlaced: Bool) throws {
    for depth in kind.depths {
      let file = HandmadePNG(kind: kind, depth: depth, isInterlaced: isInterlaced)
      let frame = try PNG.decode(file.bytes).frame
      try #require(frame.width == file.width && frame.height == file.height)
      #expect(frame.format == (kind == .gray || kind == .grayAlpha ? .gray : .rgb))
      var worst = 0.0
      for y in 0..<file.height {
        for x in 0..<file.width {
          for (channel, value) in file.expected(x, y).enumerated() {
            worst = max(worst, abs(Double(frame.bytes[y * frame.stride + x * frame.channels + channel]) - value))
          }
        }
      }
      #expect(worst <= 1, "\(kind) of \(depth) bits")
    }
  }

  @Test func everyTruncationIsRejected() throws {
    let files = [
      try PNG.encode(Self.scene(.rgb), text: ["run": "a"]),
      HandmadePNG(width: 5, height: 4, kind: .palette, depth: 4, isInterlaced: true).bytes,
    ]
    for bytes in files {
      for count in 0..<bytes.count {
        #expect(throws: InputError.self) { try PNG.decode(Array(bytes[..<count])) }
      }
    }
  }

  /// The signature and the CRCs cover every byte.
  @Test func everyFlippedByteIsDetected() throws {
    let frame = Self.scene(.rgb)
    let bytes = try PNG.encode(frame, text: ["run": "a"])
    for index in bytes.indices {
      for mask: UInt8 in [0x01, 0x20, 0x80, 0xff] {
        var broken = bytes
        broken[index] ^= mask
        #expect(throws: InputError.self) { try PNG.decode(broken) }
      }
    }
  }

  /// With valid CRCs, corrupt data reaches the decoder. It causes an error or some picture, but never a crash.
  @Test func corruptDataWithValidChecksumsDoesNotCrash() throws {
    let whole = try PNG.encode(Self.scene(.rgb), text: ["run": "a"])
    for file in [whole, HandmadePNG(kind: .palette, depth: 4, isInterlaced: true).bytes] {
      let chunks = PNGChunk.all(of: file)
      for (position, chunk) in chunks.enumerated() {
        for index in chunk.data.indices {
          for mask: UInt8 in [0x01, 0x08, 0x80, 0xff] {
            var broken = chunks
            broken[position].data[index] ^= mask
            let bytes = PNGChunk.signature + broken.flatMap(\.bytes)
            let picture = try? PNG.decode(bytes, limit: 1 << 16)
            if let picture { #expect(picture.frame.bytes.count <= 3 << 16) }
          }
        }
      }
    }
  }

  @Test func garbageIsRejected() {
    for bytes in [[], [0], Array("not a picture".utf8), PNGChunk.signature, [UInt8](repeating: 255, count: 1000)] {
      #expect(throws: InputError.self) { try PNG.decode(bytes) }
    }
  }

  /// A header can contain any size. It is checked before memory is allocated.
  @Test func hugeSizesAreRejectedBeforeAllocation() throws {
    for (width, height) in [(0x7fff_ffff, 0x7fff_ffff), (100_000, 100_000), (1, 0x7fff_ffff), (60_000, 1000)] {
      var chunks = PNGChunk.all(of: try PNG.encode(Self.scene(.rgb)))
      chunks[0].data.replaceSubrange(0..<8, with: bigEndian(UInt32(width)) + bigEndian(UInt32(height)))
      let bytes = PNGChunk.signature + chunks.flatMap(\.bytes)
      let time = ContinuousClock().measure { #expect(throws: InputError.self) { try PNG.decode(bytes) } }
      #expect(time < .milliseconds(50))
    }
    let bytes = try PNG.encode(Self.scene(.gray))
    #expect(throws: InputError("not a readable PNG: too many pixels")) { try PNG.decode(bytes, limit: 24 * 16 - 1) }
    #expect(try PNG.decode(bytes, limit: 24 * 16).frame == Self.scene(.gray))
  }

  /// Found by fuzzing: libpng allocates 2 GB for a text chunk before it notices that the file is shorter.
  @Test func chunksLongerThanTheFileAreRejectedBeforeLibpng() throws {
    let bytes = try PNG.encode(Self.scene(.rgb), text: ["run": "a"])
    try PNGChunk.checkLengths(in: bytes)
    let text = 8 + 25
    for length: UInt32 in [0x7e00_0005, 0xffff_ffff, UInt32(bytes.count)] {
      var broken = bytes
      broken.replaceSubrange(text..<text + 4, with: bigEndian(length))
      #expect(throws: InputError("the file ends too early")) { try PNGChunk.checkLengths(in: broken) }
      #expect(throws: InputError("not a readable PNG: the file ends too early")) { try PNG.decode(broken) }
    }
  }

  @Test func filesRoundTripAndErrorsContainThePath() throws {
    let folder = FileManager.default.temporaryDirectory.appending(path: "png-\(UUID().uuidString)").path()
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: folder) }
    try PNG.write(Self.scene(.rgb), to: folder + "/a.png", text: ["step": "1"])
    #expect(try PNG.read(folder + "/a.png") == PNG.Picture(frame: Self.scene(.rgb), text: ["step": "1"]))
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder) == ["a.png"])

    try writeAtomically([1, 2, 3], to: folder + "/b.png")
    let error = try #require(throws: WorldError.self) { try PNG.read(folder + "/b.png") }
    #expect(error.description.hasPrefix(folder + "/b.png: not a readable PNG"))
    #expect(throws: WorldError.self) { try PNG.write(Self.scene(.rgb), to: folder + "/missing/c.png") }
  }
}
