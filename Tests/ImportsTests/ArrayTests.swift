import Core
import Formats
import Foundation
import Pixels
import Python
import Runs
import Testing

@testable import Imports

@Suite(.enabled(if: Python.has("numpy"), "needs PIXELRL_PYTHON, a Python with NumPy: see 'make readers'"))
struct ArrayTests {
  /// NumPy writes arrays into a folder, and reads the dataset.
  private func withArrays(_ script: String, _ body: (String) throws -> Void) throws {
    try withFolder { folder in
      _ = try Python.run("import os, sys, numpy as np\nos.chdir(sys.argv[1])\n\(script)", [folder])
      try body(folder)
    }
  }

  private static let frames = """
    frames = np.random.default_rng(1).integers(0, 256, (6, 8, 8, 3), np.uint8)

    """

  @Test func everyShapeOfFramesIsRead() throws {
    let script =
      Self.frames + """
        np.save("rgb.npy", frames)
        np.save("planes.npy", frames.transpose(0, 3, 1, 2).copy())
        np.save("gray.npy", frames[..., 0].copy())
        np.savez("whole.npz", frames)
        np.savez_compressed("packed.npz", frames=frames)
        """
    try withArrays(script) { folder in
      let bytes = try NumPyArray<UInt8>(path: "\(folder)/rgb.npy").elements
      for name in ["rgb.npy", "planes.npy", "whole.npz", "packed.npz"] {
        let data = try imported("\(folder)/\(name)", to: "\(folder)/d-\(name)")
        #expect(data.frames.elements == bytes && data.format == .rgb, "\(name)")
        #expect(data.episodes == [0, 0, 0, 0, 0, 0])
      }
      let gray = try imported("\(folder)/gray.npy", to: "\(folder)/d-gray")
      #expect(gray.format == .gray && gray.frames.elements == stride(from: 0, to: bytes.count, by: 3).map { bytes[$0] })
    }
  }

  /// D4RL: action i is taken at frame i, and ends are terminals or timeouts. An action that ended the task is kept with
  /// the last frame once more; of others at the end of an episode nothing is known.
  @Test func transitionsFromAFrameAreKept() throws {
    let script =
      Self.frames + """
        np.savez("a.npz", observations=frames, actions=np.arange(12, dtype=np.float32).reshape(6, 2) / 10,
          rewards=np.arange(6) / 4, terminals=np.array([0, 0, 1, 0, 0, 0], bool), timeouts=np.eye(6, dtype=bool)[4])
        np.savez("b.npz", frames=frames, steer=np.array([2, 0, 1, 1, 0], np.int32), score=np.arange(6, dtype=np.float16),
          stop=np.array([0, 1, 0, 0, 0, 0], np.int8))
        np.savez("c.npz", frames=frames, actions=np.ones((5, 1), np.float32), rewards=np.ones(6),
          terminals=np.eye(6, dtype=bool)[5])
        """
    try withArrays(script) { folder in
      var frames = try FrameImport("\(folder)/a.npz")
      frames.size = 8
      let warning = try #require(frames.write(to: "\(folder)/d").warning)
      #expect(warning.hasPrefix("left out: 2 rewards of last actions, in sum 2.25,"), "\(warning)")
      let data = try FrameDataset(path: "\(folder)/d")
      #expect(data.episodes == [0, 0, 0, 0, 1, 1, 2])
      #expect(data.rewards == [0, 0.25, 0.5, 0, 0.75, 0, 0] && data.discounts == [1, 1, 0, 0, 1, 0, 0])
      #expect(data.actions.elements == [0, 0.1, 0.2, 0.3, 0.4, 0.5, 0, 0, 0.6, 0.7, 0, 0, 0, 0])
      #expect(data.frame(3).bytes == data.frame(2).bytes)
      #expect(
        data.manifest.imported?.actionSpace == .continuous(low: [-1, -1], high: [1, Double(1.1 as Float)]))
      #expect(try imported("\(folder)/b.npz", to: "\(folder)/e").manifest.imported?.actionSpace == .empty)
      // Without its action, the last reward is not kept.
      let short = try imported("\(folder)/c.npz", to: "\(folder)/f")
      #expect(short.rewards == [1, 1, 1, 1, 1, 0] && short.discounts == [1, 1, 1, 1, 1, 0])
    }
    try withArrays(script) { folder in
      var reading = PictureReading()
      (reading.keys.actions, reading.keys.rewards, reading.keys.ends) = ("steer", "score", "stop")
      var frames = try FrameImport("\(folder)/b.npz", reading)
      frames.size = 8
      _ = try frames.write(to: "\(folder)/d")
      let data = try FrameDataset(path: "\(folder)/d")
      #expect(data.manifest.imported?.actionSpace == .discrete(count: 3))
      #expect(data.episodes == [0, 0, 1, 1, 1, 1] && data.actions.elements == [2, 0, 1, 1, 0, 0])
      #expect(data.rewards == [0, 0, 2, 3, 4, 0])
    }
  }

  /// V-D4RL and DreamerV2: an episode a file, and action i led to frame i.
  @Test func transitionsToAFrameAreKept() throws {
    let script =
      Self.frames + """
        os.mkdir("episodes")
        for name, part in ("2", frames[:4]), ("10", frames[4:]):
          n = len(part)
          np.savez_compressed(f"episodes/{name}.npz", image=part.transpose(0, 3, 1, 2), reward=np.arange(n, dtype=np.float32),
            action=np.linspace(-1, 1, n, dtype=np.float32)[:, None], discount=(np.arange(n) < n - 1).astype(np.float32),
            is_first=np.arange(n) == 0, is_last=np.arange(n) == n - 1)
        np.save("all.npy", frames)
        """
    try withArrays(script) { folder in
      let data = try imported("\(folder)/episodes", to: "\(folder)/d")
      #expect(data.episodes == [0, 0, 0, 0, 1, 1])
      #expect(data.frames.elements == (try NumPyArray<UInt8>(path: "\(folder)/all.npy").elements))
      #expect(data.rewards == [1, 2, 3, 0, 1, 0] && data.discounts == [1, 1, 0, 0, 0, 0])
      let expected: [Float] = [-1 / 3, 1 / 3, 1, 0, 1, 0]
      #expect(zip(data.actions.elements, expected).allSatisfy { abs($0 - $1) < 1e-6 })
      var reading = PictureReading()
      reading.keys.lead = .from
      var frames = try FrameImport("\(folder)/episodes", reading)
      frames.size = 8
      _ = try frames.write(to: "\(folder)/e")
      #expect(try FrameDataset(path: "\(folder)/e").rewards == [0, 1, 2, 0, 0, 0])
    }
  }

  @Test func theStatesOfAFileAreKept() throws {
    try withArrays(Self.frames + "np.save('a.npy', frames)") { folder in
      let rows = (0..<6).map { "\($0),\(Double($0) / 4)" }
      try writeAtomically(Array((["x, speed"] + rows).joined(separator: "\r\n").utf8), to: "\(folder)/s.csv")
      let states = try StateColumns(path: "\(folder)/s.csv")
      let data = try imported("\(folder)/a.npy", to: "\(folder)/d") { $0.states = states }
      #expect(data.manifest.imported?.stateNames == ["x", "speed"])
      let expected: [Double] = [0, 0, 1, 0.25, 2, 0.5, 3, 0.75, 4, 1, 5, 1.25]
      #expect(data.states.elements == expected)

      try writeAtomically(Array("x\n1\n2\n".utf8), to: "\(folder)/short.csv")
      let short = try StateColumns(path: "\(folder)/short.csv")
      let error = #expect(throws: InputError.self) {
        try imported("\(folder)/a.npy", to: "\(folder)/e") { $0.states = short }
      }
      #expect(error?.description.contains("has 2 rows below its names") == true)
      for (text, part) in [
        ("1,2\n3,4\n", "line 1"), ("x,y\n1,2\n1\n", "line 3: needs 2 numbers"), ("x,x\n", "same name"),
      ] {
        try writeAtomically(Array(text.utf8), to: "\(folder)/wrong.csv")
        let error = #expect(throws: InputError.self) { try StateColumns(path: "\(folder)/wrong.csv") }
        #expect(error?.description.contains(part) == true, "\(error?.description ?? "")")
      }
      #expect(!exists("\(folder)/e"))
    }
  }

  @Test func errorsSayWhatToChange() throws {
    let script =
      Self.frames + """
        np.save("float.npy", frames / 255)
        np.savez("float.npz", frames=frames / 255.)
        np.savez("names.npz", a=frames, b=frames)
        np.save("flat.npy", frames.reshape(6, -1))
        np.save("four.npy", np.zeros((2, 8, 8, 4), np.uint8))
        np.savez("short.npz", frames=frames, actions=np.zeros(3))
        np.savez("nan.npz", frames=frames, rewards=np.full(6, np.nan))
        np.savez("large.npz", frames=frames, actions=np.full(6, 1e300))
        np.savez("discount.npz", frames=frames, rewards=np.ones(6), discounts=np.full(6, 2))
        """
    let wrong = [
      ("float.npy", "(255 * frames).astype('uint8')"), ("float.npz", "type <f8"),
      ("names.npz", "a, b with --frames-key"),
      ("flat.npy", "[6, 192]: frames have the shape [N, H, W]"), ("four.npy", "[2, 8, 8, 4]"),
      ("short.npz", "actions has the shape [3], which does not fit 6 frames"), ("nan.npz", "not finite"),
      ("large.npz", "too large"), ("discount.npz", "discounts are from 0 to 1"),
    ]
    try withArrays(script) { folder in
      for (name, part) in wrong {
        let error = #expect(throws: InputError.self) { try FrameImport("\(folder)/\(name)") }
        #expect(error?.description.contains(part) == true, "\(name): \(error?.description ?? "")")
      }
      var reading = PictureReading()
      reading.every = 2
      let every = #expect(throws: InputError.self) { try FrameImport("\(folder)/names.npz", reading) }
      #expect(every?.description.contains("--every is for videos") == true)
    }
  }
}
