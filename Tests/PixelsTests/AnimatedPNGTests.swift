import Core
import Formats
import Foundation
import Testing

@testable import Pixels

@Suite struct AnimatedPNGTests {
  let path = FileManager.default.temporaryDirectory.appending(path: "apng-\(UUID().uuidString).png").path()

  static func frames(_ format: PixelFormat) -> [PixelBuffer] {
    (0..<5).map { index in
      var frame = PixelBuffer(width: 40, height: 30, format: format)
      frame.draw { canvas in
        canvas.gradient(top: .orange, bottom: .blue)
        canvas.circle(center: Point(8 + 5 * Double(index == 3 ? 2 : index), 15), radius: 6, .white)
      }
      return frame
    }
  }

  func integer(_ bytes: ArraySlice<UInt8>) -> Int { bytes.reduce(0) { $0 << 8 | Int($1) } }

  /// Decodes the frames as a browser would.
  func play(_ bytes: [UInt8]) throws -> [PixelBuffer] {
    let chunks = PNGChunk.all(of: bytes)
    var screen = try PNG.decode(bytes).frame
    var shown: [PixelBuffer] = []
    var part: (header: [UInt8], x: Int, y: Int, data: [UInt8])?
    func show() throws {
      guard let frame = part else { return }
      let file = [
        PNGChunk(type: "IHDR", data: frame.header), PNGChunk(type: "IDAT", data: frame.data),
        PNGChunk(type: "IEND", data: []),
      ]
      let picture = try PNG.decode(PNGChunk.signature + file.flatMap(\.bytes)).frame
      for y in 0..<picture.height {
        let start = (frame.y + y) * screen.stride + frame.x * screen.channels
        screen.bytes.replaceSubrange(
          start..<start + picture.stride, with: picture.bytes[y * picture.stride..<(y + 1) * picture.stride])
      }
      shown.append(screen)
    }
    for chunk in chunks {
      switch chunk.type {
      case "fcTL":
        try show()
        let header = Array(chunk.data[4..<12]) + chunks[0].data[8...]
        part = (header, integer(chunk.data[12..<16]), integer(chunk.data[16..<20]), [])
      case "IDAT": part?.data += chunk.data
      case "fdAT": part?.data += chunk.data[4...]
      default: break
      }
    }
    try show()
    return shown
  }

  @Test(arguments: PixelFormat.allCases)
  func allFramesRoundTrip(format: PixelFormat) throws {
    defer { try? FileManager.default.removeItem(atPath: path) }
    let frames = Self.frames(format)
    try AnimatedPNG.write(frames, to: path, framesPerSecond: 25, text: ["episode": "3"])
    let bytes = try readBytes(from: path)
    #expect(try play(bytes) == frames)
    let encoded = try AnimatedPNG.encode(framesPerSecond: 25, text: ["episode": "3"]) { append in
      for frame in frames { try append(frame) }
    }
    #expect(encoded == bytes)
    #expect(try PNG.decode(bytes) == PNG.Picture(frame: frames[0], text: ["episode": "3"]))
  }

  @Test func structureFollowsTheStandard() throws {
    defer { try? FileManager.default.removeItem(atPath: path) }
    try AnimatedPNG.write(Self.frames(.rgb), to: path, framesPerSecond: 12.5)
    let bytes = try readBytes(from: path)
    let chunks = PNGChunk.all(of: bytes)
    // All CRCs are valid.
    #expect(PNGChunk.signature + chunks.flatMap(\.bytes) == bytes)
    #expect(chunks.map(\.type).prefix(4) == ["IHDR", "acTL", "fcTL", "IDAT"])
    #expect(chunks.last?.type == "IEND")
    #expect(chunks.map(\.type).filter { $0 == "fcTL" }.count == 5)
    #expect(chunks[1].data == [0, 0, 0, 5, 0, 0, 0, 0])
    let numbers = chunks.filter { ["fcTL", "fdAT"].contains($0.type) }.map { integer($0.data[..<4]) }
    #expect(numbers == Array(numbers.indices))
    for control in chunks where control.type == "fcTL" {
      #expect(control.data.count == 26)
      #expect(control.data[20...] == [0, 80, 3, 232, 0, 0])
    }
    // The second frame changes only around the circle.
    #expect(integer(chunks[4].data[4..<8]) < 40)
  }

  @Test func equalFramesChangeOnePixel() {
    let frame = Self.frames(.rgb)[0]
    #expect(frame.rectangle(changedFrom: frame) == Rectangle(x: 0, y: 0, width: 1, height: 1))
    var other = frame
    other.bytes[3 * (7 * 40 + 5) + 2] ^= 1
    other.bytes[3 * (9 * 40 + 31)] ^= 1
    #expect(other.rectangle(changedFrom: frame) == Rectangle(x: 5, y: 7, width: 27, height: 3))
  }

  @Test func unfinishedAnimationLeavesNoFile() throws {
    do {
      var animation = try AnimatedPNG(path: path, framesPerSecond: 10)
      try animation.append(Self.frames(.gray)[0])
    }
    #expect(!FileManager.default.fileExists(atPath: path))
  }
}
