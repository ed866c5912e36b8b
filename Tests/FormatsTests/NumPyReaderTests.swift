import Core
import Foundation
import Python
import Testing

@testable import Formats

@Suite(.enabled(if: Python.has("numpy"), "needs PIXELRL_PYTHON, a Python with NumPy: see 'make readers'"))
struct NumPyReaderTests {
  /// NumPy maps our arrays, and saves them as the same bytes.
  @Test func numPyMapsArrays() throws {
    try withFolder { folder in
      try writeNumPy([1, 2, 3, 4, 5, 6] as [UInt8], shape: [1, 2, 1, 3], to: folder + "/a.npy")
      try writeNumPy([0.5, -1, .infinity, 4] as [Float], shape: [2, 2], to: folder + "/b.npy")
      try writeNumPy([7] as [Int64], shape: [], to: folder + "/c.npy")
      var writer = try NumPyWriter<Double>(path: folder + "/d.npy", rowShape: [3])
      for row in 0..<1000 { try writer.append([Double(row), 0.1, -0.0]) }
      try writer.commit()
      let script = """
        import io, sys, numpy as np
        for name in sys.argv[1:]:
          mapped = np.load(name, mmap_mode="r")
          saved = io.BytesIO()
          np.save(saved, np.array(mapped))
          assert saved.getvalue() == open(name, "rb").read(), name
          print(mapped.dtype.str, mapped.shape, float(np.asarray(mapped).reshape(-1)[-1]))
        """
      let text = try Python.run(script, ["a", "b", "c", "d"].map { "\(folder)/\($0).npy" })
      #expect(text == "|u1 (1, 2, 1, 3) 6.0\n<f4 (2, 2) 4.0\n<i8 () 7.0\n<f8 (1000, 3) -0.0\n")
    }
  }

  /// NumPy and Python's `zipfile` read our archive, and we read NumPy's.
  @Test func archivesAreExchangedWithNumPy() throws {
    try withFolder { folder in
      var writer = try NumPyArchiveWriter(path: folder + "/a.npz")
      try writer.append("timesteps", [10, 20] as [Int64], shape: [2])
      try writer.append("größe", [1, 2, 3, 4, 5, 6] as [Float], shape: [2, 3])
      try writer.append("frames", shape: [2, 2, 1, 1], pieces: [[1, 2], [], [3, 4]] as [[UInt8]])
      try writer.append("none", [] as [Double], shape: [0, 4])
      try writer.commit()
      let script = """
        import sys, zipfile, numpy as np
        assert zipfile.ZipFile(sys.argv[1]).testzip() is None
        arrays = np.load(sys.argv[1])
        for name in arrays: print(name, arrays[name].dtype.str, arrays[name].shape, arrays[name].sum())
        np.savez(sys.argv[2], **arrays)
        np.savez_compressed(sys.argv[3], **arrays)
        """
      let paths = ["a", "b", "c"].map { "\(folder)/\($0).npz" }
      let text = try Python.run(script, paths)
      #expect(
        text == "timesteps <i8 (2,) 30\ngröße <f4 (2, 3) 21.0\nframes |u1 (2, 2, 1, 1) 10\nnone <f8 (0, 4) 0.0\n")
      let ours = try NumPyArchive(path: paths[0])
      for path in paths.dropFirst() {
        let theirs = try NumPyArchive(path: path)
        #expect(theirs.names == ours.names)
        #expect(try theirs.array("größe", of: Float.self).elements == [1, 2, 3, 4, 5, 6])
        #expect(try theirs.array("frames", of: UInt8.self).shape == [2, 2, 1, 1])
        #expect(try theirs.array("none", of: Double.self).shape == [0, 4])
      }
    }
  }
}

/// Needs 4.3 GB in the temporary folder. It would take minutes without optimisation.
#if !DEBUG
  @Suite(
    .enabled(if: Python.has("numpy") && Python.variable("PIXELRL_LARGE_FILES") != nil, "needs PIXELRL_LARGE_FILES"))
  struct LargeArchiveTests {
    /// A file of more than 4 GiB, followed by another.
    @Test func numPyReadsZIP64Records() throws {
      try withFolder { folder in
        let path = folder + "/a.npz"
        let piece = [UInt8](repeating: 3, count: 1 << 24)
        var writer = try NumPyArchiveWriter(path: path)
        try writer.append("large", shape: [257, 1 << 24], pieces: repeatElement(piece, count: 257))
        try writer.append("small", [1, 2] as [Int64], shape: [2])
        try writer.commit()
        let script = """
          import sys, zipfile, numpy as np
          assert zipfile.ZipFile(sys.argv[1]).testzip() is None
          arrays = np.load(sys.argv[1])
          print(arrays["large"].shape, arrays["large"][-1, -1], arrays["small"])
          """
        #expect(try Python.run(script, [path]) == "(257, 16777216) 3 [1 2]\n")
        let archive = try NumPyArchive(path: path)
        #expect(try archive.array("small", of: Int64.self).elements == [1, 2])
        #expect(try archive.array("large", of: UInt8.self).shape == [257, 1 << 24])
      }
    }
  }
#endif
