import Core
import Foundation
import Pixels
import Runs
import Testing

@testable import Imports

private let hasFFmpeg = (try? ChildProcess.run(["ffmpeg", "-version"], limit: .seconds(60)).status) == 0

@Suite(.enabled(if: hasFFmpeg, "needs ffmpeg: see '.ci/set-up tests'"))
struct VideoTests {
  /// Writes a video without loss whose picture i has the level 10 i, at a rate that is no whole number.
  private func writeVideo(_ path: String, in folder: String, pictures: Int, _ options: [String] = []) throws {
    for index in 0..<pictures {
      try PNG.write(plainPicture(UInt8(10 * index), width: 32, height: 16), to: "\(folder)/picture\(index).png")
    }
    let words = ["ffmpeg", "-v", "error", "-r", "30000/1001", "-i", "\(folder)/picture%d.png"] + options + [path]
    #expect(try ChildProcess.run(words, limit: .seconds(60)).status == 0)
  }

  @Test(arguments: [1, 3]) func everyPictureComesOnce(every: Int) throws {
    try withFolder { folder in
      try writeVideo("\(folder)/v.mkv", in: folder, pictures: 20, ["-c:v", "ffv1", "-pix_fmt", "bgr0"])
      var reading = PictureReading()
      reading.every = every
      var frames = try FrameImport("\(folder)/v.mkv", reading)
      frames.size = 8
      let (manifest, warning) = try frames.write(to: "\(folder)/d")
      #expect(warning == nil && manifest.imported?.sizes == ["32x16"])
      let data = try FrameDataset(path: "\(folder)/d")
      #expect(data.levels == stride(from: 0, to: 20, by: every).map { UInt8(10 * $0) })
      #expect(Set(data.episodes) == [0])
    }
  }

  /// A video whose pictures are shown for different times, which ffmpeg would fill with copies.
  @Test func unevenTimesAddNoPictures() throws {
    try withFolder { folder in
      try writeVideo(
        "\(folder)/v.mkv", in: folder, pictures: 9,
        ["-c:v", "ffv1", "-pix_fmt", "bgr0", "-vf", "setpts=N*N/10/TB", "-vsync", "vfr"])
      #expect(try imported("\(folder)/v.mkv", to: "\(folder)/d").levels == (0..<9).map { UInt8(10 * $0) })
    }
  }

  @Test func whatIsNoVideoIsNamed() throws {
    try withFolder { folder in
      try writeAtomically(Array("not a video".utf8), to: "\(folder)/v.mp4")
      let error = #expect(throws: WorldError.self) { try imported("\(folder)/v.mp4", to: "\(folder)/d") }
      #expect(error?.description.contains("v.mp4: ffmpeg cannot read it: ") == true)
      #expect(try folderEntries(folder) == ["v.mp4"])
    }
  }
}

@Suite struct MissingProgramTests {
  @Test func theErrorSaysWhatToInstall() {
    let error = #expect(throws: WorldError.self) {
      try PictureStream(["no-such-program-for-pixelrl"], missing: "install it")
    }
    #expect(error?.description == "install it")
  }
}
