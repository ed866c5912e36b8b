import Core
import Formats
import Foundation
import Pixels
import Python
import Runs
import Testing

@testable import Imports

/// A picture in one colour.
func plainPicture(_ level: UInt8, width: Int = 8, height: Int = 8, format: PixelFormat = .rgb) -> PixelBuffer {
  PixelBuffer(
    width: width, height: height, format: format,
    bytes: [UInt8](repeating: level, count: width * height * format.channels))
}

/// Imports and opens the dataset.
func imported(_ source: String, to folder: String, _ change: (inout FrameImport) -> Void = { _ in }) throws
  -> FrameDataset
{
  var frames = try FrameImport(source)
  frames.size = 8
  change(&frames)
  _ = try frames.write(to: folder)
  return try FrameDataset(path: folder)
}

extension FrameDataset {
  /// The first byte of each frame.
  var levels: [UInt8] { (0..<count).map { frame($0).bytes[0] } }
}

@Suite struct PictureFolderTests {
  @Test func numbersInNamesAreComparedAsNumbers() {
    let sorted = ["a", "frame-2.png", "frame002.png", "frame2.png", "frame10.png", "frame10b.png", "z"]
    #expect(sorted.reversed().sorted(by: naturally) == sorted)
    let large = "1" + String(repeating: "0", count: 30)
    #expect(naturally("x9y", "x\(large)y") && !naturally("x\(large)y", "x9y"))
    #expect(naturally("2", "10") && naturally("2", "2a") && !naturally("2", "2"))
  }

  @Test func filesAreInTheOrderOfTheirNumbers() throws {
    try withFolder { folder in
      try FileManager.default.createDirectory(atPath: "\(folder)/p", withIntermediateDirectories: true)
      for number in [1, 2, 10, 11] { try PNG.write(plainPicture(UInt8(number)), to: "\(folder)/p/frame\(number).png") }
      try writeAtomically(Array("notes".utf8), to: "\(folder)/p/readme.txt")
      let data = try imported("\(folder)/p", to: "\(folder)/d")
      #expect(data.levels == [1, 2, 10, 11] && data.episodes == [0, 0, 0, 0])
      #expect(data.actions.shape == [4, 0] && data.states.shape == [4, 0])
      let about = try #require(data.manifest.imported)
      #expect(about.sizes == ["8x8"] && about.kind == "4 PNG or JPEG files" && about.fit == .crop)
      #expect(data.manifest.environment == "import:p" && about.actionSpace == .empty)
    }
  }

  /// `pixelrl render` writes frames, and an animation of them.
  @Test func animationsAreLeftOut() throws {
    try withFolder { folder in
      try FileManager.default.createDirectory(atPath: "\(folder)/p", withIntermediateDirectories: true)
      let frames = [UInt8(5), 6, 7].map { plainPicture($0) }
      for (index, frame) in frames.enumerated() { try PNG.write(frame, to: "\(folder)/p/frame-\(index).png") }
      try AnimatedPNG.write(frames, to: "\(folder)/p/episode.png", framesPerSecond: 25, text: ["environment": "catch"])
      #expect(try AnimatedPNG.isAnimated("\(folder)/p/episode.png"))
      var source = try FrameImport("\(folder)/p")
      source.size = 8
      let (manifest, warning) = try source.write(to: "\(folder)/d")
      #expect(manifest.count == 3 && manifest.imported?.kind == "3 PNG or JPEG files")
      #expect(warning == "\(folder)/p/episode.png is an animation and was left out")
      #expect(try FrameDataset(path: "\(folder)/d").levels == [5, 6, 7])
      // Neither damaged nor short files are animations.
      for bytes in [
        [], [1, 2], PNGChunk.signature, PNGChunk.signature + [255, 255, 255, 255, 0, 0, 0, 0, 0, 0, 0, 0],
      ] {
        try writeAtomically(bytes, to: "\(folder)/x.png")
        #expect(try !AnimatedPNG.isAnimated("\(folder)/x.png"))
      }
    }
  }

  @Test func subfoldersAreEpisodesAndPicturesAreLeftOut() throws {
    try withFolder { folder in
      for (episode, numbers) in [("run10", [7, 8]), ("run9", [1, 2, 3, 4, 5])] {
        try FileManager.default.createDirectory(atPath: "\(folder)/p/\(episode)", withIntermediateDirectories: true)
        for number in numbers { try PNG.write(plainPicture(UInt8(number)), to: "\(folder)/p/\(episode)/\(number).PNG") }
      }
      var reading = PictureReading()
      reading.every = 2
      var frames = try FrameImport("\(folder)/p/", reading)
      frames.size = 8
      _ = try frames.write(to: "\(folder)/d")
      let data = try FrameDataset(path: "\(folder)/d")
      #expect(data.levels == [1, 3, 5, 7] && data.episodes == [0, 0, 0, 1])
      #expect(data.manifest.episodeCount == 2 && data.manifest.imported?.every == 2)
    }
  }

  /// Pictures of different sizes and formats become frames of one size and format.
  @Test func everyPictureIsFitted() throws {
    try withFolder { folder in
      try FileManager.default.createDirectory(atPath: "\(folder)/p", withIntermediateDirectories: true)
      try PNG.write(plainPicture(200, width: 32, height: 16), to: "\(folder)/p/1.png")
      try PNG.write(plainPicture(100, width: 10, height: 40, format: .gray), to: "\(folder)/p/2.png")
      for (fit, black) in [(PictureFit.crop, [0, 0]), (.stretch, [0, 0]), (.letterbox, [96, 144])] {
        let data = try imported("\(folder)/p", to: "\(folder)/\(fit)") { $0.fit = fit }
        #expect((0..<2).map { data.frame($0).bytes.count { $0 == 0 } } == black, "\(fit)")
        #expect(data.format == .rgb && data.width == 8 && data.manifest.imported?.sizes == ["10x40", "32x16"])
      }
      let gray = try imported("\(folder)/p", to: "\(folder)/gray") { $0.format = .gray }
      #expect(gray.format == .gray && gray.levels == [200, 100])
    }
  }

  @Test func whatCannotBeReadIsNamedAndNothingIsLeft() throws {
    try withFolder { folder in
      try FileManager.default.createDirectory(atPath: "\(folder)/p", withIntermediateDirectories: true)
      let empty = #expect(throws: InputError.self) { try FrameImport("\(folder)/p") }
      #expect(empty?.description.contains("no PNG or JPEG files") == true)
      let missing = #expect(throws: InputError.self) { try FrameImport("\(folder)/nowhere") }
      #expect(missing?.description.contains("does not exist") == true)
      try writeAtomically([1], to: "\(folder)/a.doc")
      let unknown = #expect(throws: InputError.self) { try FrameImport("\(folder)/a.doc") }
      #expect(unknown?.description.contains("give a folder of PNG or JPEG files") == true)
      // A run has arrays of its evaluations, which are no frames.
      for name in ["run.json", "evaluations.npz", "dataset/manifest.json"] {
        try FileManager.default.createDirectory(atPath: "\(folder)/run/dataset", withIntermediateDirectories: true)
        try writeAtomically([1], to: "\(folder)/run/\(name)")
      }
      let run = #expect(throws: InputError.self) { try FrameImport("\(folder)/run") }
      #expect(run?.description.contains("run is a run: give its frames, \(folder)/run/dataset, or a folder") == true)

      try PNG.write(plainPicture(1), to: "\(folder)/p/1.png")
      try writeAtomically(Array("not a picture".utf8), to: "\(folder)/p/2.png")
      let damaged = #expect(throws: WorldError.self) { try imported("\(folder)/p", to: "\(folder)/d") }
      #expect(damaged?.description.contains("/p/2.png") == true)
      #expect(try folderEntries(folder) == ["a.doc", "p", "run"])
    }
  }
}

@Suite(.enabled(if: Python.has("PIL", "numpy"), "needs PIXELRL_PYTHON, a Python with Pillow: see 'make readers'"))
struct PillowFolderTests {
  /// Pillow writes PNG and JPEG files, one of them turned, and says what is in them.
  @Test func pillowsFilesAreRead() throws {
    try withFolder { folder in
      let script = """
        import os, sys
        import numpy as np
        from PIL import Image
        os.mkdir(sys.argv[1])
        rows, columns = np.mgrid[0:24, 0:32]
        picture = np.stack([8 * columns, 10 * rows, 0 * rows + 60], -1).astype(np.uint8)
        Image.fromarray(picture).save(sys.argv[1] + "/1.png")
        Image.fromarray(picture).save(sys.argv[1] + "/2.jpg", quality=95)
        turned = Image.Exif()
        turned[0x0112] = 3
        Image.fromarray(picture).save(sys.argv[1] + "/10.jpeg", quality=95, exif=turned)
        Image.fromarray(picture[..., 0]).save(sys.argv[1] + "/11.jpg", quality=95)
        for name in "2.jpg", "11.jpg":
          print(np.asarray(Image.open(f"{sys.argv[1]}/{name}").convert("RGB"))[:, 4:28].tobytes().hex())
        """
      let lines = try Python.run(script, ["\(folder)/p"]).split(separator: "\n").map(String.init)
      let data = try imported("\(folder)/p", to: "\(folder)/d") { $0.size = 24 }
      func hexadecimal(_ index: Int) -> String {
        data.frame(index).bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
      }
      #expect(data.count == 4 && hexadecimal(1) == lines[0] && hexadecimal(3) == lines[1])
      // The picture is upside down and mirrored: red and green fall from the first pixel.
      let (first, last) = (data.frame(2).bytes.prefix(2), data.frame(2).bytes.suffix(3).prefix(2))
      #expect(zip(first, last).allSatisfy { $0 > $1 + 100 }, "\(first) \(last)")
      #expect(data.frame(0).bytes[0] == 32 && data.frame(0).bytes[2] == 60)
    }
  }

  @Test func aDamagedPhotographIsNamed() throws {
    try withFolder { folder in
      try FileManager.default.createDirectory(atPath: "\(folder)/p", withIntermediateDirectories: true)
      try writeAtomically(Array("not a picture".utf8), to: "\(folder)/p/2.jpg")
      let error = #expect(throws: WorldError.self) { try imported("\(folder)/p", to: "\(folder)/d") }
      #expect(error?.description.contains("/p/2.jpg: Pillow cannot read it: UnidentifiedImageError") == true)
      #expect(try folderEntries(folder) == ["p"])
    }
  }
}
