import Core
import Foundation
import Pixels
import Testing

@testable import Runs

private struct NoSettings: SettingsGroup {
  var size = 2
  static let title = "environment"
  static var fields: [Field<Self>] { [Field("size", \.size, 1...9, "width")] }
}

/// Two episodes of three and two frames; frame i is filled with i.
private func writeSample(_ path: String) throws {
  let manifest = FrameDatasetManifest(
    environment: "catch", settings: NoSettings(), seed: Seed(.max), policy: "random-held")
  func frame(_ value: UInt8) -> PixelBuffer {
    PixelBuffer(width: 3, height: 2, format: .rgb, bytes: [UInt8](repeating: value, count: 18))
  }
  var writer = try FrameDatasetWriter(path: path, manifest: manifest, frame: frame(0), stateSize: 2, actionSize: 1)
  try writer.start(frame(0), state: [0, 0.5])
  try writer.append(action: [1], Step(reward: 0.25), frame(1), state: [1, 0.5])
  try writer.append(action: [2], Step(reward: 1, discount: 0, ending: .terminated), frame(2), state: [2, 0.5])
  try writer.start(frame(3), state: [3, 0.5])
  try writer.append(action: [3], Step(reward: 0.75, ending: .truncated), frame(4), state: [4, 0.5])
  try writer.commit()
}

@Suite struct FrameDatasetTests {
  @Test func transitionsRoundTrip() throws {
    try withFolder { folder in
      let path = folder + "/datasets/sample"
      try writeSample(path)
      let data = try FrameDataset(path: path)
      #expect(data.count == 5 && data.width == 3 && data.height == 2 && data.format == .rgb)
      #expect(data.frame(3).bytes == [UInt8](repeating: 3, count: 18))
      #expect(data.withFrame(4) { $0[17] } == 4)
      #expect(data.states.elements == [0, 0.5, 1, 0.5, 2, 0.5, 3, 0.5, 4, 0.5])
      #expect(data.actions.elements == [1, 2, 0, 3, 0])
      #expect(data.rewards == [0.25, 1, 0, 0.75, 0])
      #expect(data.discounts == [1, 0, 0, 1, 0])
      #expect(data.episodes == [0, 0, 0, 1, 1])
      #expect((0..<5).map(data.isFollowed) == [true, true, false, true, false])
      #expect(data.manifest.seed == .max && data.manifest.policy == "random-held")
      #expect(data.manifest.episodeCount == 2 && data.manifest.settings == [.init(key: "size", text: "2")])
      #expect(try folderEntries(folder + "/datasets") == ["sample"])
    }
  }

  @Test func anExistingFolderIsKept() throws {
    try withFolder { folder in
      try writeSample(folder + "/d")
      let error = #expect(throws: InputError.self) { try writeSample(folder + "/d") }
      #expect(error?.description.contains("--out") == true)
      #expect(try FrameDataset(path: folder + "/d").count == 5)
    }
  }

  @Test func anAbandonedDatasetLeavesNothing() throws {
    try withFolder { folder in
      do {
        let manifest = FrameDatasetManifest(environment: "catch", settings: NoSettings(), seed: Seed(0), policy: "p")
        let frame = PixelBuffer(width: 3, height: 2)
        var writer = try FrameDatasetWriter(
          path: folder + "/d", manifest: manifest, frame: frame, stateSize: 1, actionSize: 1)
        try writer.start(frame, state: [0])
      }
      #expect(try folderEntries(folder).isEmpty)
    }
  }

  /// One changed byte at the end of each file, a missing file, and a file of another dataset's length.
  @Test(arguments: FrameDataset.files)
  func errorsNameTheDamagedFile(file: String) throws {
    try withFolder { folder in
      try writeSample(folder + "/d")
      let path = folder + "/d/" + file
      let whole = try readBytes(from: path)
      var damaged = whole
      damaged[damaged.count - 1] ^= 1
      for bytes in [damaged, Array(whole.dropLast()), []] {
        try writeAtomically(bytes, to: path)
        let error = #expect(throws: WorldError.self) { try FrameDataset(path: folder + "/d") }
        #expect(error?.description.contains(file) == true)
      }
      try FileManager.default.removeItem(atPath: path)
      #expect(throws: WorldError.self) { try FrameDataset(path: folder + "/d") }
    }
  }

  @Test(arguments: [
    ("\"version\": 1", "\"version\": 2", "version 2"), ("\"frames\": 5", "\"frames\": 6", "[6, H, W"),
    ("\"seed\"", "\"sed\"", "seed"), ("{", "[", "manifest.json"),
  ])
  func errorsSayWhatIsWrongWithAManifest(old: String, new: String, part: String) throws {
    try withFolder { folder in
      try writeSample(folder + "/d")
      let path = folder + "/d/manifest.json"
      let text = String(decoding: try readBytes(from: path), as: UTF8.self)
      try writeAtomically(Array(text.replacingOccurrences(of: old, with: new).utf8), to: path)
      let error = #expect(throws: WorldError.self) { try FrameDataset(path: folder + "/d") }
      #expect(error?.description.contains(part) == true, "\(error?.description ?? "")")
    }
  }

  @Test func theErrorForAMissingDatasetNamesTheCommand() {
    let error = #expect(throws: WorldError.self) { try FrameDataset(path: "/nowhere") }
    #expect(error?.description.contains("pixelrl collect") == true)
  }
}
