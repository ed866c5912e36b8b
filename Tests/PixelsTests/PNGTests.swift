import Core
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
  func framesAndTextComeBack(format: PixelFormat) throws {
    let text = ["run": "cartpole-1", "step": "12000", "note": "größer ≥ 5", "empty": ""]
    let frame = Self.scene(format)
    let bytes = try PNG.encode(frame, text: text)
    let picture = try PNG.decode(bytes)
    #expect(picture.frame == frame)
    #expect(picture.text == text)
    #expect(try PNG.encode(frame, text: text) == bytes)
  }
}
