import Core
import Foundation
import Python
import Testing

@testable import Pixels

@Suite(.enabled(if: Python.has("PIL"), "needs PIXELRL_PYTHON, a Python with Pillow: see 'make readers'"))
struct PillowTests {
  private func withPath(_ body: (String) throws -> Void) throws {
    let path = FileManager.default.temporaryDirectory.appending(path: "pillow-\(UUID().uuidString).png").path()
    defer { try? FileManager.default.removeItem(atPath: path) }
    try body(path)
  }

  @Test(arguments: PixelFormat.allCases) func pillowReadsPixelsAndText(format: PixelFormat) throws {
    let frame = PNGTests.scene(format)
    let script = """
      import sys
      from PIL import Image
      picture = Image.open(sys.argv[1])
      picture.load()
      print(picture.mode, picture.size, picture.text, picture.tobytes().hex())
      """
    try withPath { path in
      try PNG.write(frame, to: path, text: ["run": "a", "note": "größer"])
      let mode = format == .gray ? "L" : "RGB"
      let expected = "\(mode) (24, 16) {'note': 'größer', 'run': 'a'} \(hexadecimal(frame))\n"
      #expect(try Python.run(script, [path]) == expected)
    }
  }

  /// Frames with a partial change, no change and a full change.
  @Test func pillowReadsAnimations() throws {
    var frames = [PNGTests.scene(.rgb)]
    frames.append(frames[0])
    frames[1].draw { $0.circle(center: Point(20, 3), radius: 2, .black) }
    frames += [frames[1], PixelBuffer(width: 24, height: 16, format: .rgb)]
    let script = """
      import sys
      from PIL import Image, ImageSequence
      picture = Image.open(sys.argv[1])
      print(picture.is_animated, picture.n_frames, picture.info["loop"], picture.info["duration"])
      for frame in ImageSequence.Iterator(picture): print(frame.convert("RGB").tobytes().hex())
      """
    try withPath { path in
      try AnimatedPNG.write(frames, to: path, framesPerSecond: 25)
      let expected = ["True 4 0 40.0"] + frames.map(hexadecimal)
      #expect(try Python.run(script, [path]) == expected.joined(separator: "\n") + "\n")
    }
  }

  private func hexadecimal(_ frame: PixelBuffer) -> String {
    frame.bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
  }
}
