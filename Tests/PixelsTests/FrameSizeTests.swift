import Core
import Foundation
import Testing

@testable import Pixels

@Suite struct FrameSizeTests {
  @Test(arguments: [
    ("64", 64, 64), ("96x64", 96, 64), ("36x64", 36, 64), ("8", 8, 8), ("1024x8", 1024, 8), ("64x64", 64, 64),
  ])
  func sizesAreParsed(_ text: String, width: Int, height: Int) throws {
    let size = try #require(FrameSize(text: text))
    #expect(size == FrameSize(width: width, height: height))
    #expect(size.text == (text == "64x64" ? "64" : text) && FrameSize(text: size.text) == size)
  }

  @Test(arguments: ["", "x", "64x", "x64", "64x64x64", "7", "1025", "64x7", "0x64", "-8", "64 x 64", "64X64", "big"])
  func otherTextsAreRejected(_ text: String) { #expect(FrameSize(text: text) == nil) }

  /// Older versions stored the side of a square as a number.
  @Test func squaresAreStoredAsNumbers() throws {
    let sizes: [FrameSize] = [64, FrameSize(width: 96, height: 64)]
    let stored = try JSONEncoder().encode(sizes)
    #expect(String(decoding: stored, as: UTF8.self) == #"[64,"96x64"]"#)
    #expect(try JSONDecoder().decode([FrameSize].self, from: stored) == sizes)
    let plist = try PropertyListEncoder().encode(sizes)
    #expect(try PropertyListDecoder().decode([FrameSize].self, from: plist) == sizes)
    for wrong in [#"["4x4"]"#, "[true]", "[[64]]"] {
      #expect(throws: DecodingError.self) { try JSONDecoder().decode([FrameSize].self, from: Data(wrong.utf8)) }
    }
  }

  @Test(arguments: [
    (288, 512, "64", "36x64"), (600, 400, "64", "64x44"), (160, 210, "84", "64x84"), (512, 512, "64", "64"),
    (44, 20, "24", "36x16"), (100, 100, "64x32", "64"), (1000, 10, "64", "1024x16"),
  ])
  func aSizeWithThePicturesProportionsIsFound(width: Int, height: Int, frame: String, expected: String) throws {
    let (picture, frame) = (FrameSize(width: width, height: height), try #require(FrameSize(text: frame)))
    #expect(frame.withProportions(of: picture).text == expected)
  }

  @Test func distortionIsTheSameInBothDirections() {
    let picture = FrameSize(width: 210, height: 160)
    #expect((84 as FrameSize).distortion(of: picture) == 210.0 / 160)
    #expect((84 as FrameSize).distortion(of: FrameSize(width: 160, height: 210)) == 210.0 / 160)
    #expect(picture.distortion(of: picture) == 1)
  }
}

@Suite struct PictureFitTests {
  /// Returns the width and height of the pixels that are bright.
  private func extent(of frame: PixelBuffer) -> (width: Int, height: Int) {
    let bright = frame.bytes.indices.filter { frame.bytes[$0] > 128 }
    let (columns, rows) = (bright.map { $0 % frame.width }, bright.map { $0 / frame.width })
    return ((columns.max() ?? 0) - (columns.min() ?? 0) + 1, (rows.max() ?? 0) - (rows.min() ?? 0) + 1)
  }

  /// A disc in the middle stays round unless the picture is stretched.
  @Test(arguments: [(40, 40), (36, 64), (64, 36), (96, 24)], [(60, 40), (40, 60), (48, 48)])
  func discsStayRound(_ picture: (Int, Int), _ frame: (Int, Int)) {
    let (size, target) = (
      FrameSize(width: picture.0, height: picture.1), FrameSize(width: frame.0, height: frame.1)
    )
    var disc = PixelBuffer(size: size, format: .gray)
    disc.draw { canvas in
      canvas.fill(Color(gray: 50))
      canvas.circle(center: Point(Double(size.width) / 2, Double(size.height) / 2), radius: 8, .white)
    }
    for fit in PictureFit.allCases {
      let fitted = disc.fitted(to: target, fit)
      let (width, height) = extent(of: fitted)
      #expect(fitted.size == target)
      let isRound = fit != .stretch || target.distortion(of: size) == 1
      #expect((abs(width - height) <= 1) == isRound, "\(fit): \(width)x\(height)")
      // Only bars are black.
      let bars = target.width * target.height - fitted.bytes.count { $0 > 0 }
      #expect((bars > 0) == (fit == .letterbox && target.distortion(of: size) > 1), "\(fit)")
    }
  }

  /// A picture with the frame's proportions is only resized, by every choice.
  @Test func theSameProportionsNeedNoFit() {
    var picture = PixelBuffer(width: 72, height: 128)
    for index in picture.bytes.indices { picture.bytes[index] = UInt8(truncatingIfNeeded: index &* 37 >> 3) }
    let size = FrameSize(width: 36, height: 64)
    for fit in PictureFit.allCases { #expect(picture.fitted(to: size, fit) == picture.resized(width: 36, height: 64)) }
  }
}
